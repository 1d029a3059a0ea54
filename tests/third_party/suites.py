"""The suites of other projects that must pass with .lic registered, how each is run, and why a test may differ."""

from dataclasses import dataclass, field
from typing import Literal


@dataclass(frozen=True)
class Source:
    """Where the tests come from: the sdist of a release, or a tag of a repository where the sdist has none."""

    name: str
    version: str
    repository: str = ""
    tag: str = ""


@dataclass(frozen=True)
class Suite:
    """One suite, run twice in the same tree or in two, and compared test by test.

    "loaded": with and without the plugin, which must change nothing. "disguised": without the plugin on the pictures
    as they come, and with it on the same names holding LIC bytes; with `saves`, also whatever the tests save as JPEG
    or PNG is LIC. `adds` is a script beside this file and the folder that it is to make in the tree, for both runs.
    """

    name: str
    source: Source
    compare: Literal["loaded", "disguised"]
    command: tuple[str, ...]
    reader: Literal["junit", "unittest"]
    folder: str = "."
    requirements: tuple[str, ...] = ()
    pictures: tuple[str, ...] = ()
    saves: bool = False
    adds: tuple[str, str] | None = None
    environment: dict[str, str] = field(default_factory=dict)
    explained: dict[str, str] = field(default_factory=dict)


_PYTEST = ("-m", "pytest", "-p", "no:cacheprovider", "-q", "--junitxml={report}")

_PILLOW = Source("pillow", "13.0.0")
_DJANGO = Source("django", "5.2.19")
_IMAGEIO = Source("imageio", "2.38.1")
_EASY = Source("easy-thumbnails", "2.10.1")
_SORL = Source("sorl-thumbnail", "13.4.0")
_TORCHVISION = Source("torchvision", "0.28.0", "https://github.com/pytorch/vision", "v0.28.0")
_DATASETS = Source("datasets", "5.2.0", "https://github.com/huggingface/datasets", "5.2.0")

SUITES = (
    Suite(
        name="pillow",
        source=_PILLOW,
        compare="loaded",
        command=(*_PYTEST, "Tests"),
        reader="junit",
        requirements=("defusedxml", "olefile", "pytest-timeout"),
        explained={
            "*::test_registered_extensions_uninitialized": "asserts that every extension registered is built into Pillow"
        },
    ),
    Suite(
        name="pillow-fuzz",
        source=_PILLOW,
        compare="loaded",
        command=(*_PYTEST, "Tests/oss-fuzz/test_fuzzers.py", "-k", "images/lic/"),
        reader="junit",
        requirements=("defusedxml", "olefile", "pytest-timeout"),
        adds=("corpus.py", "Tests/images/lic"),
        environment={"PYTHONPATH": ".:Tests/oss-fuzz"},
    ),
    Suite(
        name="imageio",
        source=_IMAGEIO,
        compare="loaded",
        adds=("imageio_pictures.py", ".test_images"),
        command=(
            *(part for part in _PYTEST if part not in ("-p", "no:cacheprovider")),  # a fixture keeps notes in the cache
            "-m",
            "not needs_internet",
            *(f"tests/test_{part}.py" for part in ("core", "format", "v2", "config")),
        ),
        reader="junit",
    ),
    Suite(
        name="pillow-disguised",
        source=_PILLOW,
        compare="disguised",
        command=(
            *_PYTEST,
            *(
                f"Tests/test_{part}.py"
                for part in ("pickle", "image_thumbnail", "image_load", "numpy", "image_copy", "image_array")
            ),
        ),
        reader="junit",
        requirements=("defusedxml", "olefile", "pytest-timeout"),
        pictures=(
            "Tests/images/hopper.*",
            *(f"Tests/images/{name}.png" for name in ("test-card", "p_trns_single", "pil123p", "itxt_chunks")),
            "Tests/images/eps/*zero_bb*.png",
        ),
        explained={
            "Tests.test_image_load::test_sanity": "asserts one pixel of hopper.ppm exactly, and LIC is lossy",
            "Tests.test_image_thumbnail::test_load_first_unless_jpeg": (
                "wants draft() to return a box where it changes nothing, as JPEG's does; ours returns None there"
            ),
            "Tests.test_image_thumbnail::test_reducing_gap_values": (
                "wants hopper.ppm, which had no draft(), within 3.5 levels of itself by another reducing_gap; drafts are less alike"
            ),
            "Tests.test_pickle::test_pickle_jpeg": "reads layer and layers, attributes of Pillow's JPEG class alone",
        },
    ),
    Suite(
        name="django",
        source=_DJANGO,
        compare="disguised",
        command=(
            "runtests.py",
            "-v2",
            "--parallel=1",
            "model_fields.test_imagefield",
            "forms_tests.field_tests.test_imagefield",
            "files",
        ),
        reader="unittest",
        folder="tests",
        requirements=("tblib",),
        pictures=("tests/model_fields/*.png", "tests/forms_tests/tests/filepath_test_files/*", "tests/files/*.png"),
        saves=True,
        explained={
            "*.test_imagefield_annotate_with_*image_after_clean": "asserts the format by name: PNG or BMP, and it is LIC"
        },
    ),
    Suite(
        name="easy-thumbnails",
        source=_EASY,
        compare="disguised",
        command=("-m", "django", "test", "-v2", "easy_thumbnails"),
        reader="unittest",
        requirements=("django==5.2.19", "reportlab", "svglib", "testfixtures"),
        saves=True,
        environment={"DJANGO_SETTINGS_MODULE": "easy_thumbnails.tests.settings", "PYTHONPATH": "."},
        explained={
            "*.FilesTest.test_*subsampling": "reads layer, an attribute of Pillow's JPEG class alone",
            "*.FilesTest.test_postprocessor*": "sets a command for the format png, and Image.open says LIC",
            "*.FilesTest.test_progressive_encoding": "asserts info['progressive'], which JPEG alone has",
            "*.ThumbnailerDataUriTest.test_data_uri": "asserts the first bytes of a JPEG file",
        },
    ),
    Suite(
        name="sorl-thumbnail",
        source=_SORL,
        compare="disguised",
        command=("-m", "django", "test", "-v2"),
        reader="unittest",
        requirements=("django==5.2.19",),
        pictures=("tests/data/*.jpg",),
        saves=True,
        environment={"DJANGO_SETTINGS_MODULE": "tests.settings.pil", "PYTHONPATH": "."},
        explained={
            "*.CropTestCase.test_*_crop": "asserts a white pixel as exactly 255, and LIC is lossy: 253 to 255",
            "*.SimpleTestCase.test_flatten": "makes its picture with transparency=0, a save option of PNG that LIC has not",
            "*.SimpleTestCase.test_quality": "reads quantization, an attribute of Pillow's JPEG class alone",
            "*.SimpleTestCase.test_remove_border*": (
                "takes for a border what has under 2 bits of entropy, and plain black or white varies by 1 to 3 levels in LIC"
            ),
            "*.SimpleTestCase.test_rounded": "allows JPEG's noise beside a black corner: red over 245, and LIC's is 242",
            "*.SimpleTestCase.test_transparency": "makes its picture with transparency=0, a save option of PNG that LIC has not",
            "*.SimpleTestCase.test_transparency_gif_to_jpeg": (
                "JPEG drops the transparent colour that Pillow keeps in info, and LIC writes it as alpha"
            ),
            "*.SimpleTestCase.test_transparency_la_to_jpeg": "asserts the format by name: JPEG, and it is LIC",
            "*.TemplateTestCaseA.test_progressive": "asserts info['progressive'], which JPEG alone has",
        },
    ),
    Suite(
        name="torchvision",
        source=_TORCHVISION,
        compare="disguised",
        command=(*_PYTEST, "test_datasets.py", "-k", "Folder"),
        reader="junit",
        folder="test",  # from the root, the sources there would hide the installed package
        requirements=("requests",),
        saves=True,
    ),
    Suite(
        name="datasets",
        source=_DATASETS,
        compare="disguised",
        command=(*_PYTEST, "tests/features/test_image.py"),
        reader="junit",
        requirements=("pytest-datadir",),
        pictures=("tests/features/data/*.jpg", "tests/features/data/*.png"),
        saves=True,
        explained={
            "*::test_dataset_with_image_feature": "asserts the format by name: JPEG, and it is LIC",
            "*::test_dataset_with_image_feature_from_pil_image[*]": "asserts the format by name: JPEG, and it is LIC",
            "*::test_dataset_with_image_feature_tar_jpg": "asserts the format by name: JPEG, and it is LIC",
            "*::test_formatted_dataset_with_image_feature": "asserts the format by name: JPEG, and it is LIC",
            "*::test_encode_np_array[*-PNG]": "asserts the format by name, PNG, and then every value, and LIC is lossy",
        },
    ),
)
