/** What a tensor that is no weight and no bias of a linear layer looks like. */
import { isFloatType } from "./float-values.ts";
import type { Tensor } from "./safetensors-file.ts";

/** By a part of the tensor's name, the first that fits. */
const BY_NAME: readonly { readonly part: RegExp; readonly look: string }[] = [
  { part: /running_(mean|var)$|num_batches_tracked$/, look: "statistics of a BatchNorm" },
  { part: /attn|attention|in_proj_|[qkv]_proj\.|qkv/i, look: "attention" },
  { part: /embed|\bw[tp]e\./i, look: "an embedding" },
  { part: /(weight|bias)_(ih|hh)(_|$)/, look: "a recurrent layer (RNN, LSTM or GRU)" },
  {
    part: /weight_[gv]$|parametrizations\.|weight_(orig|u)$|original[01]$/,
    look: "a parametrised weight, such as of weight_norm: remove the parametrisation before saving",
  },
  {
    part: /kernel(:0)?$/,
    look: "a kernel of Keras or Flax, [in, out]: name it *.weight and give it as [out, in]",
  },
  { part: /(^|[./])(scale|gamma|beta)(:0)?$/, look: "a normalisation" },
];

/** By the dimensions of a `*.weight`. */
const BY_RANK: Readonly<Record<number, string>> = {
  0: "a single number",
  1: "a normalisation (LayerNorm or BatchNorm)",
  3: "a convolution over one dimension (Conv1d), or bilinear",
  4: "a convolution (Conv2d)",
  5: "a convolution over three dimensions (Conv3d)",
};

/** What is wrong with a `*.weight`; null if it may be that of a linear layer. */
export function lookOfWeight(tensor: Tensor): string | null {
  const { dtype, shape } = tensor;
  const byName = BY_NAME.find(({ part }) => part.test(tensor.name));
  if (byName !== undefined) return byName.look;
  if (shape.length === 1 && shape[0] === 1) return "the slope of a PReLU, or a normalisation";
  if (shape.length !== 2) return BY_RANK[shape.length] ?? "of more dimensions than a layer";
  return lookOfType(dtype);
}

/** What is wrong with a `*.bias` whose weight is that of a linear layer; null if nothing. */
export function lookOfBias({ dtype, shape }: Tensor): string | null {
  return shape.length === 1 ? lookOfType(dtype) : "no vector";
}

/** What a tensor is that is called neither weight nor bias. */
export function lookOfOther({ name }: Tensor): string {
  return BY_NAME.find(({ part }) => part.test(name))?.look ?? "neither *.weight nor *.bias";
}

function lookOfType(dtype: string): string | null {
  if (isFloatType(dtype)) return null;
  if (/^[IU]\d+$/.test(dtype)) return "integers, as of a quantised model";
  return /^F\d/.test(dtype) ? "too short floating-point numbers" : "not floating-point numbers";
}
