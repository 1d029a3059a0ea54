"""The networks for JPEG pictures: they begin as no change, their graphs are what was trained, and each learns in its turn."""

import io
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch import Tensor

from onnx_models.recipes import jiang2017, restored
from onnx_models.recipes.common import jpegs, restoring
from onnx_models.recipes.common.data import Patches
from onnx_models.recipes.common.jpegs import Jpegs, batch_of


def a_batch(patches: Path, *qualities: int) -> tuple[Tensor, Jpegs]:
    rng = np.random.default_rng(0)
    return batch_of(Patches(patches).batch(len(qualities), 64, rng), rng, qualities)


def woken(net: torch.nn.Module) -> None:
    """Give weights that begin near zero a size that shows."""
    torch.manual_seed(1)
    with torch.no_grad():
        for p in net.parameters():
            p.add_(0.02 * torch.randn_like(p))


def test_the_dct_is_that_of_jpeg() -> None:
    basis = restoring.dct()
    torch.testing.assert_close(basis @ basis.T, torch.eye(64), atol=1e-5, rtol=0)
    k, x = np.arange(8)[:, None], np.arange(8)
    along = np.cos((2 * x + 1) * k * np.pi / 16) / 2 * np.where(k, 1, 2**-0.5)
    block = np.random.default_rng(0).normal(size=(8, 8)).astype(np.float32)
    np.testing.assert_allclose(
        (basis @ torch.from_numpy(block).flatten()).reshape(8, 8), along @ block @ along.T, atol=1e-5
    )


def test_windows_are_a_convolution_that_does_not_see_the_mean() -> None:
    torch.manual_seed(0)
    layer, x = restoring.Windows(8, 16), torch.randn(1, 3, 32, 48)
    y = F.conv2d(F.pad(x, [4] * 4, mode="replicate"), layer.kernel(), layer.bias, 8)
    torch.testing.assert_close(layer(x), y, atol=1e-5, rtol=0)
    torch.testing.assert_close(layer(x + torch.tensor([50.0, -3, 7])[:, None, None]), layer(x), atol=1e-4, rtol=0)


def test_tables_are_those_of_pillow_and_bent_ones_stay_legal() -> None:
    picture = np.zeros((16, 16, 3), np.uint8)
    for quality in (1, 30, 50, 77, 100):
        with Image.open(io.BytesIO(jpegs._file(picture, quality=quality))) as im:
            np.testing.assert_array_equal(jpegs.standard(quality), [im.quantization[i] for i in range(2)])
    rng = np.random.default_rng(0)
    for _ in range(50):
        tables = jpegs.bent(jpegs.standard(rng.uniform(4, 99)), rng)
        assert tables.shape == (2, 64)
        assert tables.min() >= 1
        assert tables.max() <= 255
        np.testing.assert_array_equal(tables, np.rint(tables))


def test_it_begins_as_almost_no_change(patches: Path) -> None:
    torch.manual_seed(0)
    net = restored.Restored()
    net.trunk.start(Patches(patches))
    with torch.no_grad():
        lost, guesses = restored.outputs(net, *a_batch(patches, 10, 50, 95))
    assert guesses[0].shape == (3, 3, 16, 16)
    for guess in guesses[1:]:
        assert guess.square().mean() < 0.1 * lost.square().mean()


def test_it_learns(patches: Path) -> None:
    torch.manual_seed(0)
    net = restored.Restored()
    net.trunk.start(Patches(patches))
    batch = a_batch(patches, 10, 50, 90)
    optimizer = torch.optim.Adam(net.parameters(), lr=1e-3)
    losses = []
    for _ in range(12):
        loss, _ = restored.loss_of(net, *batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    assert losses[-1] < 0.9 * losses[0]


def test_the_graph_is_the_network(patches: Path) -> None:
    torch.manual_seed(0)
    net = restored.Restored()
    net.trunk.start(Patches(patches))
    woken(net)
    session = onnxruntime.InferenceSession(restored.restore_graph(net).SerializeToString())
    originals, seen = a_batch(patches, 15, 80)
    with torch.no_grad():
        expected = restoring.centred(seen.pixels) + restored.outputs(net, originals, seen)[1][-1]
    for i in range(2):
        shown = session.run(None, feeds(seen, i))[0]
        np.testing.assert_allclose(shown[0], to_pixels(expected[i : i + 1])[0], atol=1.6)


def feeds(seen: Jpegs, i: int) -> dict[str, np.ndarray]:
    return {
        "pixels": seen.pixels[i].numpy(),
        "steps": seen.steps[i].reshape(1, -1, 1, 1).numpy(),
        "halved": seen.halved[i].reshape(1, -1, 1, 1).numpy(),
    }


def to_pixels(ycc: Tensor) -> np.ndarray:
    inverse = torch.linalg.inv(torch.tensor(restoring.FROM_RGB))
    rgb = torch.einsum("ij,bjhw->bhwi", inverse, ycc + torch.tensor([128.0, 0, 0]).view(3, 1, 1))
    return rgb.clamp(0, 255).numpy()


def test_cubic_is_pillows() -> None:
    picture = np.random.default_rng(0).integers(60, 190, (12, 20, 3), np.uint8)
    x = torch.from_numpy(picture).permute(2, 0, 1)[None].float()
    ours = jiang2017.enlarged(x)[0].permute(1, 2, 0).detach().numpy()
    theirs = np.asarray(Image.fromarray(picture).resize((40, 24), Image.Resampling.BICUBIC))
    np.testing.assert_allclose(ours[6:-6, 6:-6], theirs[6:-6, 6:-6], atol=1.1)


def test_each_of_two_networks_learns_in_its_turn(patches: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    start = restored.Restored()
    start.trunk.start(Patches(patches))
    torch.save(start.state_dict(), tmp_path / "restored.pt")
    net, rng = jiang2017.Jiang2017(), np.random.default_rng(0)
    net.start(tmp_path / "restored.pt")
    torch.testing.assert_close(net.rec.trunk.log_spread, start.trunk.log_spread)
    originals = Patches(patches).batch(2, 64, rng)
    for com in (True, False):
        net.zero_grad()
        loss, _ = jiang2017.loss_of(net, originals, rng, com=com)
        loss.backward()
        assert all((p.grad is not None) == com for p in net.com.parameters())
        assert (net.rec.leave_fine.weight.grad is None) == com


def test_the_graphs_of_two_networks_are_the_networks(patches: Path) -> None:
    torch.manual_seed(0)
    net = jiang2017.Jiang2017()
    net.rec.trunk.start(Patches(patches))
    woken(net)
    originals, _ = a_batch(patches, 50)
    compact, restore = (
        onnxruntime.InferenceSession(g.SerializeToString())
        for g in (jiang2017.compact_graph(net), jiang2017.restore_graph(net))
    )
    small = compact.run(None, {"pixels": originals[0].numpy()})[0]
    np.testing.assert_allclose(small[0].astype(int), jiang2017.compact(net, originals)[0].numpy(), atol=1)
    _, seen = batch_of(jiang2017.compact(net, originals), np.random.default_rng(0), [50])
    with torch.no_grad():
        expected = net.rec(restoring.centred(seen.pixels), seen.steps, seen.halved)
    assert expected.shape == (1, 3, 64, 64)
    np.testing.assert_allclose(restore.run(None, feeds(seen, 0))[0][0], to_pixels(expected)[0], atol=1.6)


@pytest.mark.parametrize("grey", [False, True])
def test_what_comes_out_of_a_file_is_told_right(grey: bool) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3), np.uint8)
    tables = jpegs.standard(40)
    shown, found = jpegs.coded(picture, tables, halved=True, grey=grey)
    assert shown.shape == (32, 32, 3)
    np.testing.assert_array_equal(found, tables[[0, 0]] if grey else tables)
