"""Every fault of an adapter's folder has its code, is refused whole, and nothing in it is run."""

from __future__ import annotations

import json
import pickle
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from models.adapters import read_adapter
from models.backbone import Backbone
from models.errors import ArtifactError
from tests.adapter_folders import LABELS, edit_config, edit_tensors, peft_model, save_peft, small_backbone

CONFIG, WEIGHTS = "adapter_config.json", "adapter_model.safetensors"
HEAD, A0 = "base_model.model.classifier.weight", "base_model.model.dinov2.encoder.layer.0.attention.q_proj.lora_A.weight"
Edit = Callable[[Path], Any]


@pytest.fixture(scope="module")
def backbone(tmp_path_factory: pytest.TempPathFactory) -> Backbone:
    return small_backbone(tmp_path_factory.mktemp("models") / "small")


@pytest.fixture(scope="module")
def sound(backbone: Backbone, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_peft(peft_model(backbone), tmp_path_factory.mktemp("adapters") / "sound")


@pytest.fixture
def adapter(sound: Path, tmp_path: Path) -> Path:
    """A copy of the sound adapter in a root of its own, to be damaged."""
    return Path(shutil.copytree(sound, tmp_path / "root" / "damaged"))


def code_of(folder: Path, backbone: Backbone, root: Path | None = None) -> tuple[str, str]:
    with pytest.raises(ArtifactError) as refused:
        read_adapter(folder, root or folder.parent, backbone, LABELS)
    return refused.value.code, refused.value.message


def rewrite_header(folder: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    content = (folder / WEIGHTS).read_bytes()
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    change(header)
    text = json.dumps(header).encode()
    (folder / WEIGHTS).write_bytes(struct.pack("<Q", len(text)) + text + content[8 + length :])


def shorten(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes()[:-10])


def lengthen(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes((folder / WEIGHTS).read_bytes() + b"more")


def giant_header(folder: Path) -> None:
    (folder / WEIGHTS).write_bytes(struct.pack("<Q", 1 << 60) + b"{}")


def overlap(header: dict[str, Any]) -> None:
    names = sorted(name for name in header if name.endswith("lora_A.weight") and "q_proj" in name)
    header[names[0]]["data_offsets"] = header[names[1]]["data_offsets"]


def without(name: str) -> Edit:
    return lambda folder: edit_tensors(folder, lambda tensors: {key: value for key, value in tensors.items() if key != name})


def with_tensor(name: str, change: Callable[[torch.Tensor], torch.Tensor]) -> Edit:
    return lambda folder: edit_tensors(folder, lambda tensors: tensors | {name: change(tensors[name])})


def raw_config(change: Callable[[str], str]) -> Edit:
    return lambda folder: (folder / CONFIG).write_text(change((folder / CONFIG).read_text()))


def config(**changes: Any) -> Edit:
    return lambda folder: edit_config(folder, **changes)


def nested(depth: int) -> Any:
    return json.loads("[" * depth + "]" * depth)


def not_a_number(tensor: torch.Tensor) -> torch.Tensor:
    tensor[0, 0] = torch.nan
    return tensor


FAULTS = [
    ("truncated safetensors", shorten, "bad_safetensors"),
    ("trailing bytes", lengthen, "bad_safetensors"),
    ("giant header", giant_header, "bad_safetensors"),
    ("empty weights", lambda folder: (folder / WEIGHTS).write_bytes(b""), "bad_safetensors"),
    ("header longer than the file", lambda folder: (folder / WEIGHTS).write_bytes(struct.pack("<Q", 99) + b"{}"), "bad_safetensors"),
    ("header that is no JSON", lambda folder: (folder / WEIGHTS).write_bytes(struct.pack("<Q", 2) + b"{["), "bad_safetensors"),
    ("overlapping tensors", lambda folder: rewrite_header(folder, overlap), "bad_safetensors"),
    ("shape without its bytes", lambda folder: rewrite_header(folder, lambda h: h[A0].update(shape=[4, 33])), "bad_safetensors"),
    ("negative offsets", lambda folder: rewrite_header(folder, lambda h: h[A0].update(data_offsets=[-512, 0])), "bad_safetensors"),
    ("unknown dtype", lambda folder: rewrite_header(folder, lambda h: h[A0].update(dtype="U8")), "bad_safetensors"),
    ("pickle under a safetensors name", lambda folder: torch.save({}, folder / WEIGHTS), "pickle"),
    ("no weights", lambda folder: (folder / WEIGHTS).unlink(), "bad_safetensors"),
    ("a value that is NaN", with_tensor(A0, not_a_number), "nonfinite"),
    ("missing tensor", without(A0), "tensor_mismatch"),
    ("no head", lambda folder: (without(HEAD)(folder), without(HEAD.replace("weight", "bias"))(folder)), "tensor_mismatch"),
    ("one bias of many missing", without(A0.replace("lora_A.weight", "base_layer.bias")), "tensor_mismatch"),
    ("unexpected tensor", lambda f: edit_tensors(f, lambda t: t | {A0.replace("q_proj", "k_proj"): t[A0]}), "tensor_mismatch"),
    ("foreign prefix", lambda f: edit_tensors(f, lambda t: t | {"evil": t[A0]}), "tensor_mismatch"),
    (
        "one tensor in two spellings",
        lambda f: edit_tensors(f, lambda t: t | {A0.replace("q_proj", "attention.query"): t[A0]}),
        "tensor_mismatch",
    ),
    ("another width", with_tensor(A0, lambda tensor: torch.zeros(4, 48)), "tensor_mismatch"),
    ("a head of four outputs", with_tensor(HEAD, lambda tensor: torch.zeros(4, 64)), "tensor_mismatch"),
    ("targets of another model", config(target_modules=["c_attn"]), "tensor_mismatch"),
    ("rank unlike the tensors", config(r=8), "tensor_mismatch"),
    ("no config", lambda folder: (folder / CONFIG).unlink(), "bad_config"),
    ("config over 1 MB", raw_config(lambda text: text + " " * (1 << 20)), "bad_config"),
    ("config nested 65 deep", config(base_model_name_or_path=nested(64)), "bad_config"),
    ("config nested 100,000 deep", raw_config(lambda text: "[" * 100_000), "bad_config"),
    ("duplicate keys", raw_config(lambda text: text.replace("{", '{"r": 4, ', 1)), "bad_config"),
    ("NaN", raw_config(lambda text: text.replace('"lora_dropout": 0.1', '"lora_dropout": NaN')), "bad_config"),
    ("a number beyond floats", raw_config(lambda text: text.replace('"lora_dropout": 0.1', '"lora_dropout": 1e999')), "bad_config"),
    ("a number of 5,000 digits", raw_config(lambda text: text.replace('"r": 4', '"r": ' + "9" * 5000)), "bad_config"),
    ("not UTF-8", lambda folder: (folder / CONFIG).write_bytes(b'{"r": "\xff"}'), "bad_config"),
    ("a list", raw_config(lambda text: "[]"), "bad_config"),
    ("unknown peft_type", config(peft_type="IA3"), "bad_config"),
    ("rank 0", config(r=0), "bad_config"),
    ("rank beyond the width", config(r=33), "bad_config"),
    ("rank true", config(r=True), "bad_config"),
    ("negative alpha", config(lora_alpha=-1), "bad_config"),
    ("DoRA as a text", config(use_dora="yes"), "bad_config"),
    ("another bias rule", config(bias="some"), "bad_config"),
    ("targets that are no names", config(target_modules=[1]), "bad_config"),
    ("auto_mapping elsewhere", config(auto_mapping={"base_model_class": "A", "parent_library": "os"}), "bad_config"),
    ("auto_mapping to a look-alike", config(auto_mapping={"parent_library": "transformers_evil.x"}), "bad_config"),
    ("megatron_core", config(megatron_core="os"), "bad_config"),
    ("megatron_config", config(megatron_config={"a": 1}), "bad_config"),
    ("an option that changes the function", config(alpha_pattern={"fc1": 3}), "bad_config"),
    ("an unknown option in use", config(custom_class="os.system"), "bad_config"),
    ("an initialisation that moves the backbone", config(init_lora_weights="pissa"), "bad_config"),
]


@pytest.mark.parametrize(("fault", "code"), [pytest.param(fault, code, id=name) for name, fault, code in FAULTS])
def test_a_damaged_or_hostile_adapter_is_refused_with_its_code(adapter: Path, backbone: Backbone, fault: Edit, code: str) -> None:
    read_adapter(adapter, adapter.parent, backbone, LABELS)  # sound before the fault
    fault(adapter)
    assert code_of(adapter, backbone)[0] == code


@pytest.mark.parametrize("name", ["adapter_model.bin", "weights.pt", "adapter.pkl", "adapter.joblib", "Adapter_Model.BIN"])
def test_pickled_weights_are_refused_unopened_and_told_about_safetensors(adapter: Path, backbone: Backbone, name: str) -> None:
    (adapter / WEIGHTS).unlink()
    (adapter / name).write_bytes(pickle.dumps(Bomb(adapter / "went_off")))
    code, message = code_of(adapter, backbone)
    assert code == "pickle" and "safetensors" in message and name in message
    assert not (adapter / "went_off").exists()


class Bomb:
    """Touches a file when unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (self.path,)


def test_a_folder_outside_the_root_is_refused_by_where_it_resolves(adapter: Path, backbone: Backbone, tmp_path: Path) -> None:
    root = tmp_path / "elsewhere"
    root.mkdir()
    (root / "link").symlink_to(adapter)
    for folder in (adapter, root / ".." / "root" / "damaged", root / "link", Path("/etc"), root / "a\0b"):
        assert code_of(folder, backbone, root)[0] == "outside_root"


def test_a_file_that_links_out_of_the_root_is_refused_and_one_that_links_inside_is_followed(adapter: Path, backbone: Backbone) -> None:
    root = adapter.parent
    (adapter / WEIGHTS).rename(root / "shared.safetensors")
    (adapter / WEIGHTS).symlink_to(root / "shared.safetensors")
    read_adapter(adapter, root, backbone, LABELS)
    (root / "shared.safetensors").rename(root.parent / "outside.safetensors")
    (adapter / WEIGHTS).unlink()
    (adapter / WEIGHTS).symlink_to(root.parent / "outside.safetensors")
    assert code_of(adapter, backbone)[0] == "outside_root"


def test_a_missing_folder_and_a_folder_in_place_of_a_file_are_not_files(adapter: Path, backbone: Backbone) -> None:
    assert code_of(adapter.parent / "nobody", backbone)[0] == "not_a_file"
    (adapter / CONFIG).unlink()
    (adapter / CONFIG).mkdir()
    assert code_of(adapter, backbone)[0] == "not_a_file"


def test_an_adapter_for_another_size_of_backbone_is_refused(adapter: Path, tmp_path: Path) -> None:
    assert code_of(adapter, small_backbone(tmp_path / "wider", width=48))[0] == "tensor_mismatch"


def test_nesting_of_64_is_still_read(adapter: Path, backbone: Backbone) -> None:
    edit_config(adapter, base_model_name_or_path=nested(63))  # the object itself is one more
    read_adapter(adapter, adapter.parent, backbone, LABELS)


def test_what_peft_itself_writes_into_every_config_is_accepted(adapter: Path) -> None:
    written = json.loads((adapter / CONFIG).read_text())
    assert written["auto_mapping"]["parent_library"].startswith("transformers.")
    assert written["megatron_core"] == "megatron.core"
