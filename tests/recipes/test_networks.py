"""Exported graphs compute what the torch modules compute, at sizes small enough for a test."""

from dataclasses import replace

import numpy as np
import onnx
import onnxruntime as ort
import pytest
import torch

from onnx_models.recipes.common.gaussian import gaussian_bits
from onnx_models.recipes.common.levels import hats, lambdas, nearest_anchor
from onnx_models.recipes.lic1 import entropy_model, scale_tables, transforms
from onnx_models.recipes.lic1.model import Lic1, Sizes
from onnx_models.recipes.lic1.networks import graphs
from onnx_models.recipes.lic1.passes import merged, of_pass, split
from pillow_lic.engine.entropy import STEP
from pillow_lic.families.lic1 import passes, quantiser, scales

SMALL = Sizes(a=48, a2=64, c=32, c2=48, m=64, z=16, p=32, s=32, analysis=1, synthesis=1)


def moved(sizes: Sizes) -> Lic1:
    """Return untrained networks whose weights are moved at random, so that none is 0."""
    torch.manual_seed(0)
    rows = torch.linalg.qr(torch.randn(768, 768))[0]
    net = Lic1(rows, torch.logspace(1, -5, 768), sizes).eval()
    for p in net.parameters():
        p.data += 0.05 * (p.data.abs().mean() or 1) * torch.randn_like(p)
    return net


@pytest.fixture(scope="module")
def net() -> Lic1:
    return moved(SMALL)


def sessions_of(net: Lic1) -> dict[str, ort.InferenceSession]:
    """Return a session for each graph, by its role."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    return {
        k: ort.InferenceSession(m.SerializeToString(), options, providers=["CPUExecutionProvider"])
        for k, m in graphs(net).items()
    }


@pytest.mark.parametrize("sizes", [SMALL, replace(SMALL, stages=3, slope=0.0, low=1, last=1)], ids=["lic1", "lic2"])
@torch.no_grad()
def test_the_whole_chain(sizes: Sizes) -> None:
    net = moved(sizes)
    sessions = sessions_of(net)
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (64, 128, 3)).astype(np.uint8)
    level = torch.randint(300, 700, (1, 1, 4, 8)).float()
    x = torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255

    trunk, linear = net.analysis(x)
    got = sessions["analysis"].run(None, {"pixels": pixels})
    np.testing.assert_allclose(got[0], trunk, atol=0.01)
    np.testing.assert_allclose(got[1], linear, atol=0.01)

    y, z = net.latents(trunk, linear, level)
    z_hat = z.round()
    got_z, got_y = sessions["latents"].run(
        None, {"trunk": trunk.numpy(), "linear": linear.numpy(), "level": level.numpy()}
    )
    np.testing.assert_allclose(got_y, y, rtol=0.01, atol=0.05)
    assert (got_z != z_hat.numpy()).mean() < 0.1

    features, mean_features = net.scales.start(z_hat), net.means.start(z_hat, level)
    np.testing.assert_array_equal(sessions["scales_z"].run(None, {"z_hat": z_hat.numpy()})[0], features)
    r, y_hat = torch.zeros_like(y), torch.zeros_like(y)
    got_features = sessions["means_z"].run(None, {"z_hat": z_hat.numpy(), "level": level.numpy()})[0]
    np.testing.assert_allclose(got_features, mean_features, atol=0.1)
    for t in range(sizes.stages):
        coded = passes.of_stage(t, sizes.stages)
        index16 = torch.cat(net.scales.index16(t, features, r.abs().clamp(max=8), level), 1)
        index = entropy_model.whole_index(index16)
        feeds = {"features": features.numpy(), "level": level.numpy()}
        if t:
            feeds["magnitudes"] = r.abs().clamp(max=8).numpy()
        np.testing.assert_array_equal(sessions[f"scales_{t}"].run(None, feeds)[0], index.to(torch.uint8))
        means = net.means.means(t, mean_features, y_hat)
        seen = {"features": got_features} | ({"y_hat": y_hat.numpy()} if t else {})
        np.testing.assert_allclose(sessions[f"means_{t}"].run(None, seen)[0], torch.cat(means, 1), atol=0.02)
        rs = [(split(y)[k] - mu).round() for k, mu in zip(coded, means, strict=True)]
        before = [torch.zeros_like(rs[0])] * coded[0]
        r = r + merged([*before, *rs])
        y_hat = y_hat + merged([*before, *(r_k + mu for r_k, mu in zip(rs, means, strict=True))])

    x_hat = (255 * net.synthesis(y_hat, level)).clamp(0, 255).permute(0, 2, 3, 1).numpy()
    picture, context = sessions["synthesis"].run(None, {"y_hat": y_hat.numpy(), "level": level.numpy()})
    cells = sessions["detail"].run(None, {"picture": picture, "context": context, "level": level.numpy()})[0]
    got_x = torch.nn.functional.pixel_shuffle(torch.from_numpy(cells), 2).permute(0, 2, 3, 1).numpy()
    assert np.abs(got_x - x_hat).max() < 3


def test_fresh_detail_changes_nothing_and_learns() -> None:
    torch.manual_seed(0)
    detail = transforms.Detail(32, 16)
    correction = detail(torch.rand(1, 3, 32, 48), torch.randn(1, 32, 4, 6), hats(torch.full((1, 1, 2, 3), 500.0)))
    assert correction.shape == (1, 3, 32, 48)
    assert not correction.any()
    correction.sum().backward()
    assert detail.leave.weight.grad is not None
    assert detail.leave.weight.grad.any()


@torch.no_grad()
def test_training_forward_pass_counts_what_the_passes_count(net: Lic1) -> None:
    x, base = torch.rand(2, 3, 64, 64), torch.tensor([200.0, 800.0])
    level = base.view(2, 1, 1, 1).expand(2, 1, 4, 4)
    x_hat, y_bits, z_bits = net(x, level, base)
    assert x_hat.shape == x.shape
    assert (y_bits > 0).all()
    assert (z_bits > 0).all()
    alone, alone_bits, _ = net(x[1:], level[1:], base[1:])
    torch.testing.assert_close(alone, x_hat[1:])
    torch.testing.assert_close(alone_bits, y_bits[1:])


def test_the_first_guess_of_scales_learns_and_scales_ignore_autocast(net: Lic1) -> None:
    torch.manual_seed(0)
    y, z_hat = torch.randn(1, SMALL.m, 4, 8), torch.randint(-5, 6, (1, SMALL.z, 1, 2)).float()
    level = torch.randint(0, 1025, (1, 1, 4, 8)).float()
    indexes = []
    for enabled in (False, True):
        with torch.autocast("cpu", dtype=torch.bfloat16, enabled=enabled):
            _, _, index, y_hat = net.passes(y, z_hat, level)
        indexes.append(index)
    torch.testing.assert_close(indexes[0][0], indexes[1][0], rtol=0, atol=0)
    net.zero_grad()
    indexes[0].sum().backward()
    assert net.scales.table.grad is not None
    assert net.scales.table.grad.abs().min() > 0
    y = y.requires_grad_()
    (grad,) = torch.autograd.grad(net.passes(y, z_hat, level)[0][3].sum(), y)
    assert grad.abs().max() >= 1


def test_the_graphs_and_the_codec_agree_on_the_passes() -> None:
    y = torch.randn(1, 8, 4, 6)
    for t, part in enumerate(split(y)):
        np.testing.assert_array_equal(part.flatten(), passes.gather(y[0].numpy(), t, (4, 6)))


def test_splitting_and_merging_undo_each_other_and_each_others_gradients() -> None:
    torch.manual_seed(0)
    y, grad = torch.randn(2, 8, 4, 6, requires_grad=True), torch.randn(2, 8, 4, 6)
    assert torch.equal(merged(split(y)), y)
    assert torch.equal(torch.autograd.grad(merged(split(y)), y, grad)[0], grad)
    first = merged(split(y)[:2])
    assert torch.equal(split(first)[1], split(y)[1])
    assert not split(first)[2].any()
    assert torch.equal(torch.autograd.grad(first, y, grad)[0], merged(split(grad)[:2]))


def test_a_convolution_of_a_pass_is_that_part_of_the_whole() -> None:
    torch.manual_seed(0)
    x, weight, bias = (torch.randn(s, requires_grad=True) for s in ((2, 16, 4, 6), (8, 16, 1, 1), (8,)))
    for t in range(4):
        part, whole = of_pass(t, x, weight, bias), split(torch.nn.functional.conv2d(x, weight, bias))[t]
        torch.testing.assert_close(part, whole)
        grad = torch.randn_like(part)
        for a, b in zip(*(torch.autograd.grad(v, [x, weight, bias], grad) for v in (part, whole)), strict=True):
            torch.testing.assert_close(a, b, rtol=1e-4, atol=1e-4)


def test_levels() -> None:
    assert lambdas(torch.tensor([0.0, 1024.0])).tolist() == pytest.approx([0.0016, 0.25])
    assert (hats(torch.arange(0.0, 1025.0).view(1, 1, 1, -1)).sum(1) == 128).all()
    assert nearest_anchor(torch.tensor([0.0, 63.0, 64.0, 1024.0])).tolist() == [0, 0, 1, 8]


def test_graphs_refuse_operators_that_are_not_allowed() -> None:
    from onnx_models.recipes.common.graph import Graph

    with pytest.raises(ValueError, match="got Loop"):
        Graph("g").op("Loop")


def test_long_rows_are_kept_in_8_bits_where_a_graph_asks_for_it() -> None:
    """Each value within half a step of its row; short rows, fine weights and other graphs keep 16 bits."""
    from onnx_models.recipes.common.graph import LONG_ROW, Graph

    rng = np.random.default_rng(0)
    weight = (rng.normal(size=(5, LONG_ROW, 1, 1)) * np.array([0.1, 1, 50, 0, 2])[:, None, None, None]).astype("f4")
    cases = [(weight, {}, np.int8), (weight, {"fine": True}, np.float16), (weight[:, 1:], {}, np.float16)]
    for value, words, kind in cases:
        g = Graph("rows", in_bytes=True)
        g.output(g.conv(g.input("x", [1, value.shape[1], 1, "w"]), value, **words), "y", [1, 5, 1, "w"])
        model = g.model()
        kinds = {onnx.numpy_helper.to_array(t).dtype for t in model.graph.initializer if len(t.dims) == 4}
        assert kinds >= {np.dtype(kind)}
        assert (np.dtype(np.int8) in kinds) == (kind == np.int8)
        eye = np.eye(value.shape[1], dtype=np.float32)[None, :, None]
        found = ort.InferenceSession(model.SerializeToString()).run(None, {"x": eye})[0][0, :, 0]
        half_step = np.abs(value[:, :, 0, 0]).max(1, keepdims=True) / 254
        assert (np.abs(found - value[:, :, 0, 0]) <= 1.01 * half_step).all()
    plain = Graph("rows")
    plain.output(plain.conv(plain.input("x", [1, LONG_ROW, 1, "w"]), weight), "y", [1, 5, 1, "w"])
    assert {t.data_type for t in plain.model().graph.initializer} == {onnx.TensorProto.FLOAT16}


def test_a_sum_that_is_not_exact_stops_the_export(net: Lic1, monkeypatch: pytest.MonkeyPatch) -> None:
    layer = net.scales.passes[1][0]
    monkeypatch.setattr(layer, "limits", [2**20] * len(layer.limits))
    with pytest.raises(ValueError, match="must be below 16777216"):
        graphs(net)


def test_every_graph_passes_the_checker(net: Lic1) -> None:
    for model in graphs(net).values():
        onnx.checker.check_model(model, full_check=True)


def test_quantiser_of_training_is_that_of_the_encoder() -> None:
    """The values that the runtime chooses for the same residuals, channel group by channel group; and its magnitudes."""
    torch.manual_seed(0)
    index = torch.randint(0, 40, (2, 8, 8, 12)).float()
    residual = torch.randn(2, 8, 8, 12) * scale_tables.deviation(index)
    found = entropy_model.quantised(residual.contiguous(memory_format=torch.channels_last), 16 * index)
    groups = (v.reshape(8, -1) for v in (found, residual, index))
    for one, r, i in zip(*groups, strict=True):
        chosen = quantiser.Quantiser(scale_tables.gaussian_tables()).choose(r.numpy(), i.numpy().astype(np.uint16))
        np.testing.assert_array_equal(one, quantiser.steps(chosen.values))
        assert 10 < one.count_nonzero() < one.numel()
        magnitudes = np.minimum((np.abs(chosen.values) + STEP // 2) // STEP, quantiser.MAGNITUDE_MAX)
        np.testing.assert_array_equal(entropy_model.magnitudes(one), magnitudes)


def test_tables_of_gaussians_hold_their_mass() -> None:
    """At every scale the entropy of the two quantisers lies about log2(1.3) below that of steps of 1, where deviations are large."""
    for index, saved in ((40, 0.379), (60, 0.379), (10, 0.0)):
        rates = []
        for odd in (False, True):
            p = scale_tables.gaussian(index, odd)
            assert p.sum() == pytest.approx(1, abs=1e-6)
            p = np.concatenate([p[:1], p[1:] / 2, p[1:] / 2])
            rates.append(-(p * np.log2(np.maximum(p, 1e-30))).sum())
        sigma = scale_tables.deviation(torch.tensor(float(index)))
        steps_of_1 = gaussian_bits(torch.arange(-900.0, 901), sigma)
        expected = (torch.exp2(-steps_of_1) * steps_of_1).sum().item() - saved
        assert np.mean(rates) == pytest.approx(expected, abs=0.03)


def test_the_encoder_and_the_recipe_mean_the_same_deviations() -> None:
    wanted = scale_tables.deviation(torch.arange(scale_tables.SCALES).double())
    np.testing.assert_allclose(scales.deviations(), wanted, rtol=1e-6)
