/** Tells the format of a file with a network by its first bytes. */
import { DataError } from "../data/table.ts";

export type NetworkFormat = "safetensors" | "onnx";

/** Files that people have instead, with what to do. */
const OTHERS: readonly { readonly begin: string; readonly look: string }[] = [
  {
    begin: "PK\x03\x04",
    look:
      "a zip, as of PyTorch's torch.save (write safetensors.torch.save_file(model.state_dict(), …) instead), " +
      "of Keras or of NumPy",
  },
  { begin: "\x80", look: "a pickle, as of an old torch.save: write safetensors instead" },
  { begin: "\x89HDF", look: "HDF5, as of Keras: export it as ONNX instead" },
  { begin: "GGUF", look: "GGUF, of language models" },
  { begin: "\x93NUMPY", look: "an array of NumPy" },
  { begin: "version https://git-lfs", look: "a pointer of Git LFS: run git lfs pull" },
];

/** @throws DataError for what is neither. */
export function formatOf(file: string, bytes: Uint8Array): NetworkFormat {
  const refuse = (found: string): never => {
    const expected = "a safetensors or an ONNX file";
    throw new DataError(file, [{ place: "", expected, found }]);
  };
  if (bytes.length < 9) return refuse(`${bytes.length} bytes: cut off`);
  if (isSafetensors(bytes)) return "safetensors";
  const begin = Buffer.from(bytes.subarray(0, 32)).toString("latin1");
  const other = OTHERS.find((one) => begin.startsWith(one.begin));
  if (other !== undefined) return refuse(other.look);
  // A protobuf begins with the tag of its first field, which in every ONNX file is ir_version, a number, or the next, a text.
  if (begin[0] === "\x08" || begin[0] === "\x12") return "onnx";
  return refuse(`${bytes.length} other bytes`);
}

/** A header's length of less than 2³² and the header, which the format wants to begin with a brace. */
function isSafetensors(bytes: Uint8Array): boolean {
  return bytes[8] === 0x7b && bytes.subarray(4, 8).every((byte) => byte === 0);
}
