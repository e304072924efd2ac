import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { create, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { activations } from "../../shared/numerics/forward.ts";
import { type FloatArray, float64Weights, type Weights } from "../../shared/numerics/network.ts";
import { decodeWeights, encodeWeights } from "../../shared/safetensors.ts";
import { repositoryFile } from "../../shared/testing/repository.ts";
import { DataError } from "../data/table.ts";
import { onnxModel } from "../networks/onnx-messages.ts";
import { type ReadNetworkOptions, readNetwork } from "../networks/read-network.ts";

const GIVEN = { file: "n", activation: "tanh", outputActivation: "linear" } as const;

interface Part {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly values: FloatArray | Uint8Array | Uint16Array | BigInt64Array;
}

/** A safetensors file with its tensors in the order given. */
function safetensors(parts: Record<string, Part>, metadata?: Record<string, unknown>): Uint8Array {
  let end = 0;
  const entries = Object.entries(parts).map(([name, { dtype, shape, values }]) => {
    const from = end;
    end += values.byteLength;
    return [name, { dtype, shape, data_offsets: [from, end] }];
  });
  const header = { ...(metadata && { __metadata__: metadata }), ...Object.fromEntries(entries) };
  return withHeader(JSON.stringify(header), ...Object.values(parts).map(({ values }) => values));
}

function withHeader(text: string, ...parts: Part["values"][]): Uint8Array {
  const head = Buffer.from(text);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(head.length));
  const rest = parts.map((one) => Buffer.from(one.buffer, one.byteOffset, one.byteLength));
  return Buffer.concat([length, head, ...rest]);
}

/** A tensor of this shape with some numbers in it. */
function tensor(shape: readonly number[], dtype: "F32" | "F64" = "F32"): Part {
  const values = Array.from({ length: count(shape) }, (_, i) => Math.sin(i + shape.length));
  return {
    dtype,
    shape,
    values: dtype === "F32" ? Float32Array.from(values) : Float64Array.from(values),
  };
}

function count(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Tensors of linear layers, named by `name`. */
function sequential(widths: readonly number[], name = (l: number) => String(2 * l)) {
  const layers = widths.slice(1).map((outputs, l) => ({
    [`${name(l)}.weight`]: tensor([outputs, widths[l]!]),
    [`${name(l)}.bias`]: tensor([outputs]),
  }));
  return Object.assign({}, ...layers) as Record<string, Part>;
}

function faultsOf(bytes: Uint8Array, options: ReadNetworkOptions = GIVEN): DataError {
  try {
    readNetwork(bytes, options);
  } catch (error) {
    assert.ok(error instanceof DataError, `expected a DataError, got ${error}`);
    return error;
  }
  throw new assert.AssertionError({ message: "expected a fault" });
}

function assertRefused(bytes: Uint8Array, ...messages: RegExp[]): void {
  const { message, faults } = faultsOf(bytes);
  for (const part of messages) assert.match(message, part);
  assert.equal(faults.length, messages.length, message);
}

interface OnnxPart {
  readonly shape: readonly number[];
  readonly values: FloatArray;
}

/** As `onnx.helper.make_tensor` with and without `raw`. */
function onnxTensor(name: string, { shape, values }: OnnxPart, isRaw = true) {
  const dims = shape.map(BigInt);
  const isDouble = values instanceof Float64Array;
  const rawData = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const list = { [isDouble ? "doubleData" : "floatData"]: [...values] };
  return { name, dims, dataType: isDouble ? 11 : 1, ...(isRaw ? { rawData } : list) };
}

function onnxNode(opType: string, input: string[], more: object = {}) {
  return { opType, input, output: [`${opType} of ${input.join()}`], ...more };
}

/** A graph from `x` to the output of its last node. */
function onnx(node: ReturnType<typeof onnxNode>[], more: { initializer?: object[] } = {}) {
  const graph = {
    node,
    input: [{ name: "x" }],
    output: [{ name: node.at(-1)?.output[0] ?? "" }],
    ...more,
  };
  return onnxFile({ graph, opsetImport: [{ version: 20n }] });
}

function onnxFile(model: Record<string, unknown>): Uint8Array {
  return withVersion(toBinary(onnxModel(), create(onnxModel(), model)));
}

/** Files begin with the field `ir_version`. */
function withVersion(bytes: Uint8Array): Uint8Array {
  return Buffer.concat([Uint8Array.of(8, 10), bytes]);
}

/** x → Gemm → tanh → Gemm with room for changes. */
const MATRICES = {
  w1: { shape: [4, 3], values: tensor([4, 3]).values as Float32Array },
  b1: { shape: [4], values: tensor([4]).values as Float32Array },
  w2: { shape: [2, 4], values: tensor([2, 4]).values as Float32Array },
  b2: { shape: [2], values: tensor([2]).values as Float32Array },
};
const TRANS_B = { attribute: [{ name: "transB", i: 1n }] };
const FIRST = onnxNode("Gemm", ["x", "w1", "b1"], { ...TRANS_B, output: ["one"] });
const TANH = onnxNode("Tanh", ["one"], { output: ["h"] });
const SECOND = onnxNode("Gemm", ["h", "w2", "b2"], { ...TRANS_B, output: ["y"] });
const initializersOf = (matrices: Record<string, OnnxPart>) =>
  Object.entries(matrices).map(([name, part]) => onnxTensor(name, part));
const INITIALIZERS = initializersOf(MATRICES);
const smallOnnx = (...node: ReturnType<typeof onnxNode>[]) =>
  onnx(node, { initializer: INITIALIZERS });
const SMALL_WEIGHTS = [
  { weight: MATRICES.w1.values, bias: MATRICES.b1.values },
  { weight: MATRICES.w2.values, bias: MATRICES.b2.values },
];

/** Networks of both types, some of whose layers have no bias. */
const NETWORKS = fc
  .record({
    widths: fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 3, maxLength: 14 }),
    isDouble: fc.boolean(),
    seed: fc.integer({ min: 1, max: 1000 }),
    hasBias: fc.array(fc.boolean(), { minLength: 13, maxLength: 13 }),
  })
  .map(({ widths, isDouble, seed, hasBias }) => {
    const numbers = (length: number, l: number) =>
      Array.from({ length }, (_, i) => Math.sin(seed + i * 7 + l * 31));
    const typed = (values: number[]): FloatArray =>
      isDouble ? Float64Array.from(values) : Float32Array.from(values);
    const layers = widths.slice(1).map((outputs, l) => ({
      inputs: widths[l]!,
      outputs,
      weight: typed(numbers(outputs * widths[l]!, l)),
      bias: typed(hasBias[l] ? numbers(outputs, l + 100) : new Array(outputs).fill(0)),
      hasBias: hasBias[l]!,
    }));
    return { widths, layers, dtype: isDouble ? "F64" : "F32" } as const;
  });
type MadeNetwork = typeof NETWORKS extends fc.Arbitrary<infer T> ? T : never;

function weightsOf({ layers }: MadeNetwork): Weights {
  return layers.map(({ weight, bias }) => ({ weight, bias }));
}

function shapeOf({ widths }: MadeNetwork) {
  return {
    inputs: widths[0],
    hidden: widths.slice(1, -1),
    outputs: widths.at(-1),
    activation: "tanh",
    outputActivation: "linear",
  };
}

test("networks: weights in safetensors are read as they were written, whatever numbers their layers and in whatever order", () => {
  const names = fc.constantFrom<(l: number) => string>(
    (l) => String(2 * l),
    (l) => `layers.${l}`,
    (l) => `net.${3 * l}.linear`,
    (l) => `fc${l + 1}`,
    (l) => (l === 0 ? "0.0" : `${l}`),
  );
  fc.assert(
    fc.property(NETWORKS, names, fc.boolean(), (made, nameOf, isSorted) => {
      const { layers, dtype } = made;
      const parts = layers.flatMap(({ inputs, outputs, weight, bias, hasBias }, l) => [
        ...(hasBias ? [[`${nameOf(l)}.bias`, { dtype, shape: [outputs], values: bias }]] : []),
        [`${nameOf(l)}.weight`, { dtype, shape: [outputs, inputs], values: weight }],
      ]) as [string, Part][];
      if (isSorted) parts.sort(([a], [b]) => (a < b ? -1 : 1));
      const read = readNetwork(safetensors(Object.fromEntries(parts)), GIVEN);
      assert.deepEqual(read, { network: shapeOf(made), weights: weightsOf(made) });
    }),
    { seed: 3 },
  );
});

test("networks: a file that this project wrote has the weights that the project reads from it", () => {
  fc.assert(
    fc.property(NETWORKS, (made) => {
      const bytes = encodeWeights(weightsOf(made), { format: "pt", cell: "c" });
      const { network, weights } = readNetwork(bytes, GIVEN);
      assert.deepEqual(weights, decodeWeights(bytes));
      assert.deepEqual(network, shapeOf(made));
    }),
    { seed: 4 },
  );
});

test("networks: an ONNX graph has exactly the weights of the safetensors of its model, however it holds them", () => {
  const forms = fc.array(
    fc.record({
      isGemm: fc.boolean(),
      isOutByIn: fc.boolean(),
      isRaw: fc.boolean(),
      isNode: fc.boolean(),
      isSwapped: fc.boolean(),
    }),
    { minLength: 13, maxLength: 13 },
  );
  fc.assert(
    fc.property(NETWORKS, forms, (made, formOf) => {
      const initializer: object[] = [];
      const nodes: ReturnType<typeof onnxNode>[] = [];
      let value = "x";
      const add = (opType: string, input: string[], more: object = {}) => {
        const output = `v${nodes.length}`;
        nodes.push(onnxNode(opType, input, { ...more, output: [output] }));
        return output;
      };
      made.layers.forEach((layer, l) => {
        const { isGemm, isOutByIn, isRaw, isNode, isSwapped } = formOf[l]!;
        const constant = (name: string, part: OnnxPart) => {
          const t = onnxTensor(name, part, isRaw);
          if (isNode) return add("Constant", [], { attribute: [{ name: "value", t }] });
          initializer.push(t);
          return name;
        };
        const { inputs, outputs } = layer;
        const stored = isOutByIn ? layer.weight : flipped(layer);
        const shape = isOutByIn ? [outputs, inputs] : [inputs, outputs];
        const weight = constant(`w${l}`, { shape, values: stored });
        const bias = layer.hasBias
          ? [constant(`b${l}`, { shape: [outputs], values: layer.bias })]
          : [];
        if (isGemm) value = add("Gemm", [value, weight, ...bias], isOutByIn ? TRANS_B : {});
        else {
          const factor = isOutByIn ? add("Transpose", [weight]) : add("Identity", [weight]);
          value = add("MatMul", [value, factor]);
          const sum = [value, ...bias];
          if (layer.hasBias) value = add("Add", isSwapped ? sum.reverse() : sum);
        }
        if (l < made.layers.length - 1) value = add("Tanh", [value]);
      });
      const bytes = onnx(nodes, { initializer });
      assert.deepEqual(readNetwork(bytes, { file: "n.onnx" }), {
        network: shapeOf(made),
        weights: weightsOf(made),
      });
    }),
    { seed: 5 },
  );
});

function flipped({ inputs, outputs, weight }: MadeNetwork["layers"][number]): FloatArray {
  return weight.map((_: number, at: number) => {
    return weight[(at % outputs) * inputs + Math.floor(at / outputs)]!;
  });
}

test("networks: what PyTorch exported gives PyTorch's outputs, and the same weights in all its formats", () => {
  const fixture = (name: string) =>
    readFileSync(repositoryFile(`coordinator/test/fixtures/${name}`));
  const { inputs, outputs } = JSON.parse(fixture("pytorch.json").toString());
  const given = { activation: "relu", outputActivation: "linear" } as const;
  const file = "pytorch.safetensors";
  const { network, weights } = readNetwork(fixture(file), { file, ...given });
  const found = activations(network, float64Weights(network, weights), Float64Array.from(inputs));
  assert.equal(found.length, outputs.length);
  found.forEach((value, i) => {
    assert.ok(Math.abs(value - outputs[i]) < 1e-15, `${value} is not ${outputs[i]}`);
  });
  for (const name of ["pytorch-dynamo.onnx", "pytorch-torchscript.onnx"]) {
    assert.deepEqual(readNetwork(fixture(name), { file: name }), { network, weights });
  }
});

test("networks: float16 and bfloat16 become float32 exactly, and float64 beside float32 makes all float64", () => {
  const half = [0x3c00, 0xc000, 0x0001, 0x7bff, 0x8000, 0x3555];
  const brain = [0x3f80, 0xc000, 0x0001, 0x7f7f, 0x8000, 0x3eab];
  const values = {
    F16: [1, -2, 2 ** -24, 65504, -0, 1365 / 4096],
    BF16: [1, -2, 2 ** -133, 255 * 2 ** 120, -0, 171 / 512],
  };
  for (const [dtype, bits] of [
    ["F16", half],
    ["BF16", brain],
  ] as const) {
    const weight = { dtype, shape: [2, 3], values: Uint16Array.from(bits) };
    const parts = { "0.weight": weight, "1.weight": tensor([1, 2]) };
    const { weights } = readNetwork(safetensors(parts), GIVEN);
    assert.deepEqual(weights[0]!.weight, Float32Array.from(values[dtype]));
    const mixed = { ...parts, "1.weight": tensor([1, 2], "F64") };
    const wide = readNetwork(safetensors(mixed), GIVEN).weights;
    assert.deepEqual(wide[0]!, {
      weight: Float64Array.from(values[dtype]),
      bias: new Float64Array(2),
    });
    const dataType = dtype === "F16" ? 10 : 16;
    const w1 = { name: "w1", dims: [2n, 3n], dataType };
    for (const data of [{ int32Data: bits }, { rawData: new Uint8Array(weight.values.buffer) }]) {
      const nodes = [
        onnxNode("Gemm", ["x", "w1"], { ...TRANS_B, output: ["h"] }),
        onnxNode("Gemm", ["h", "w2"], { ...TRANS_B, output: ["y"] }),
      ];
      const w2 = { shape: [1, 2], values: tensor([1, 2]).values as Float32Array };
      const initializer = [{ ...w1, ...data }, onnxTensor("w2", w2)];
      const { weights: ofOnnx } = readNetwork(onnx(nodes, { initializer }), { file: "n" });
      assert.deepEqual(ofOnnx, weights);
    }
  }
});

test("networks: activations come from the file or the caller, who must not contradict each other", () => {
  const parts = sequential([2, 3, 1]);
  const metadata = { activation: "relu", outputActivation: "sigmoid" };
  const said = safetensors(parts, metadata);
  const { network } = readNetwork(said, { file: "n" });
  assert.deepEqual([network.activation, network.outputActivation], ["relu", "sigmoid"]);
  assert.deepEqual(readNetwork(said, { file: "n", activation: "relu" }).network, network);
  const partly = safetensors(parts, { activation: "relu" });
  const both = readNetwork(partly, { file: "n", outputActivation: "tanh" }).network;
  assert.deepEqual([both.activation, both.outputActivation], ["relu", "tanh"]);
  assert.match(
    faultsOf(said).message,
    /activation: expected relu, as the file's metadata says, found tanh, as given\n.*outputActivation: expected sigmoid/,
  );
  assert.match(
    faultsOf(safetensors(parts), { file: "n" }).message,
    /activation: expected the activation of the hidden layers, which the file does not say: give it, one of tanh, .*\n.*outputActivation: .*give it/,
  );
  assert.match(
    faultsOf(safetensors(parts, { activation: "gelu" })).message,
    /expected one of tanh, relu, sigmoid, linear in the file's metadata, found "gelu"/,
  );
  const graph = smallOnnx(FIRST, TANH, SECOND);
  assert.match(
    faultsOf(graph, { file: "n", activation: "relu" }).message,
    /expected tanh, as the file's graph says, found relu/,
  );
  assert.deepEqual(readNetwork(graph, GIVEN).weights, SMALL_WEIGHTS);
});

test("networks: layers whose names have no numbers are taken in the order of the file, or if it is sorted, in the one that fits", () => {
  const shapes = { input: [3, 2], "hidden.2": [4, 3], "hidden.10": [5, 4], output: [1, 5] };
  const file = (names: (keyof typeof shapes)[]) =>
    safetensors(Object.fromEntries(names.map((name) => [`${name}.weight`, tensor(shapes[name])])));
  const orders: (keyof typeof shapes)[][] = [
    ["input", "hidden.2", "hidden.10", "output"],
    ["hidden.10", "hidden.2", "input", "output"],
  ];
  for (const order of orders) {
    assert.deepEqual(readNetwork(file(order), GIVEN).network.hidden, [3, 4, 5]);
  }
  const square = (...names: string[]) =>
    safetensors(Object.fromEntries(names.map((name) => [`${name}.weight`, tensor([2, 2])])));
  const { weights } = readNetwork(square("z", "a", "k"), GIVEN);
  assert.equal(weights.length, 3);
  assertRefused(
    square("a", "k", "z"),
    /layers: expected names that number them.*found a, k, z or a, z, k/,
  );
  const many = Array.from("abcdefghi");
  assertRefused(square(...many), /expected names that number them/);
});

test("networks: of what is no fully connected network in safetensors, it is said what it looks like", () => {
  const base = sequential([2, 3, 1]);
  const refused: [parts: Record<string, Part>, ...messages: RegExp[]][] = [
    [
      { ...base, "conv.weight": tensor([4, 1, 3, 3]), "conv.bias": tensor([4]) },
      /conv.weight: .*found F32 \[4, 1, 3, 3\], which looks like: a convolution \(Conv2d\)/,
    ],
    [{ ...base, "conv.weight": tensor([4, 1, 3]) }, /one dimension \(Conv1d\)/],
    [
      { ...base, "1.weight": tensor([3]), "1.bias": tensor([3]) },
      /1.weight: .*a normalisation \(LayerNorm or BatchNorm\)/,
    ],
    [
      {
        ...base,
        "1.weight": tensor([3]),
        "1.running_mean": tensor([3]),
        "1.running_var": tensor([3]),
      },
      /statistics of a BatchNorm/,
      /a normalisation/,
    ],
    [{ ...base, "1.weight": tensor([1]) }, /the slope of a PReLU/],
    [{ ...base, "embedding.weight": tensor([9, 2]) }, /an embedding/],
    [{ ...base, "attn.in_proj_weight": tensor([6, 2]) }, /attention/],
    [{ ...base, "attn.out_proj.weight": tensor([2, 2]) }, /attention/],
    [{ ...base, "rnn.weight_ih_l0": tensor([3, 2]) }, /a recurrent layer/],
    [{ ...base, "1.weight_g": tensor([3, 1]) }, /remove the parametrisation/],
    [
      { "dense.kernel": tensor([2, 3]), "dense.bias": tensor([3]) },
      /Keras or Flax/,
      /a bias without a weight/,
    ],
    [{ ...base, step: tensor([]) }, /step: .*neither \*.weight nor \*.bias/],
    [{ ...base, "4.weight": tensor([]) }, /a single number/],
    [{ ...base, "4.weight": tensor([1, 1, 1, 1, 1, 1]) }, /of more dimensions/],
    [
      { ...base, "2.bias": tensor([1, 1]) },
      /2.bias: .*found F32 \[1, 1\], which looks like: no vector/,
    ],
    [
      Object.fromEntries(
        Array.from({ length: 5 }, (_, i) => [`c${i}.weight`, tensor([1, 1, 1, 1])]),
      ),
      /tensor c0.weight, c1.weight, c2.weight and 2 more: /,
    ],
    [
      { ...base, "2.weight": { dtype: "I8", shape: [1, 3], values: new Uint8Array(3) } },
      /I8 \[1, 3\], which looks like: integers, as of a quantised model/,
    ],
    [
      { ...base, "2.weight": { dtype: "I64", shape: [1, 3], values: new BigInt64Array(3) } },
      /integers/,
    ],
    [
      { ...base, "2.weight": { dtype: "F8_E4M3", shape: [1, 3], values: new Uint8Array(3) } },
      /too short/,
    ],
    [
      { ...base, "2.weight": { dtype: "BOOL", shape: [1, 3], values: new Uint8Array(3) } },
      /not floating-point/,
    ],
    [{}, /expected two linear layers or more, .* found none/],
    [sequential([2, 3]), /found only 0 \[3, 2\]/],
    [{ weight: tensor([3, 2]), bias: tensor([3]) }, /found only weight \[3, 2\]/],
    [
      { ...base, "0.bias": tensor([4]) },
      /tensor 0.bias: expected \[3\], as the weight is \[3, 2\], found \[4\]/,
    ],
    [
      { ...base, "2.weight": tensor([1, 4]), "4.weight": tensor([2, 7]) },
      /tensor 2.weight: expected \[1, 3\], as layer 0 before it has 3 outputs, found \[1, 4\]/,
      /tensor 4.weight: expected \[2, 1\]/,
    ],
    [
      { ...base, "0.weight": tensor([3, 0]) },
      /tensor 0.weight: expected one input and one output or more, found \[3, 0\]/,
    ],
    [
      {
        "0.weight": tensor([2, 3]),
        "0.bias": tensor([3]),
        "2.weight": tensor([3, 1]),
        "2.bias": tensor([1]),
      },
      /weights: expected \[out, in\] of each layer, found \[2, 3\], \[3, 1\]: these look transposed: \[in, out\], as of Keras or JAX; give them as \[out, in\]/,
    ],
    [
      {
        "0.weight": tensor([2, 4]),
        "0.bias": tensor([4]),
        "2.weight": tensor([4, 2]),
        "2.bias": tensor([2]),
      },
      /these look transposed/,
    ],
  ];
  for (const [parts, ...messages] of refused) assertRefused(safetensors(parts), ...messages);
  const [weight, bias] = [tensor([3, 2]), tensor([1])];
  weight.values[4] = Number.NaN;
  weight.values[5] = Number.NaN;
  bias.values[0] = Number.NEGATIVE_INFINITY;
  assertRefused(
    safetensors({ ...base, "0.weight": weight, "2.bias": bias }),
    /tensor 0.weight: expected finite numbers, found NaN at \[2, 0\] and 1 more/,
    /tensor 2.bias: expected finite numbers, found -Infinity at \[0\]/,
  );
});

test("networks: a damaged header of safetensors is refused with its faults", () => {
  const entry = (dtype: string, shape: unknown, offsets: unknown) => ({
    dtype,
    shape,
    data_offsets: offsets,
  });
  const file = (header: unknown, bytes: number) =>
    withHeader(JSON.stringify(header), new Uint8Array(bytes));
  assertRefused(withHeader("{nonsense"), /header: expected JSON, found .*: damaged/);
  assertRefused(withHeader('{"\xff": 1}'), /tensor ÿ: expected a dtype/);
  assertRefused(
    Buffer.concat([withHeader('{"a'), Buffer.from([0xff])]).fill(4, 0, 1),
    /header: expected JSON/,
  );
  assertRefused(
    file({ a: 1, b: entry("F32", [-1], [0, 4]), __metadata__: { epoch: 1 } }, 0),
    /tensor a: expected a dtype, a shape, and data_offsets .*, found 1/,
    /tensor b: .*found \{"dtype":"F32","shape":\[-1\]/,
    /__metadata__: expected texts by name, found \{"epoch":1\}/,
  );
  assertRefused(
    file({ a: entry("F32", [2], [0, 4]), b: entry("F32", [1], [8, 12]) }, 12),
    /tensor a: expected data_offsets \[0, 8\], .* found \[0, 4\]/,
    /tensor b: expected data_offsets \[4, 8\], .* found \[8, 12\]/,
  );
  assertRefused(file({ a: entry("U8", [2], [2, 0]) }, 2), /tensor a: .*found \[2, 0\]/);
  assertRefused(
    file({ a: entry("F32", [2 ** 40, 2 ** 40], [0, 4]) }, 4),
    /tensor a: expected data_offsets/,
  );
  assertRefused(
    file({ a: entry("F32", [1], [0, 4]) }, 7),
    /expected 4 bytes of tensors after the header, found 7/,
  );
});

test("networks: a file of another kind is refused with what it is", () => {
  const bytes = (text: string) => Buffer.from(text.padEnd(40), "latin1");
  assertRefused(
    bytes("PK\x03\x04"),
    /n: expected a safetensors or an ONNX file, found a zip, as of PyTorch's torch.save/,
  );
  assertRefused(bytes("\x80\x02}"), /a pickle/);
  assertRefused(bytes("\x89HDF\r\n"), /HDF5, as of Keras: export it as ONNX/);
  assertRefused(bytes("GGUF"), /GGUF/);
  assertRefused(bytes("\x93NUMPY"), /NumPy/);
  assertRefused(bytes("version https://git-lfs.github.com/spec/v1"), /git lfs pull/);
  assertRefused(bytes("width,depth"), /found 40 other bytes/);
  assertRefused(new Uint8Array(), /found 0 bytes: cut off/);
});

test("networks: an ONNX graph may begin with a change of shape and end with a softmax, which is left out", () => {
  const reshape = onnxNode("Reshape", ["x", "s"], { output: ["flat"] });
  const shape = { name: "s", dims: [2n], dataType: 7, rawData: new Uint8Array(16) };
  const first = { ...FIRST, input: ["flat", "w1", "b1"] };
  const flatten = onnxNode("Flatten", ["x"], { output: ["flat"] });
  for (const begin of [reshape, flatten]) {
    for (const end of ["Softmax", "LogSoftmax", "Identity", "Sigmoid"]) {
      const node = [begin, first, TANH, SECOND, onnxNode(end, ["y"])];
      const read = readNetwork(onnx(node, { initializer: [...INITIALIZERS, shape] }), {
        file: "n",
      });
      assert.deepEqual(read.weights, SMALL_WEIGHTS);
      assert.equal(read.network.outputActivation, end === "Sigmoid" ? "sigmoid" : "linear");
    }
  }
});

test("networks: alpha and beta of a Gemm scale its weights and biases, and a single number is the bias of all outputs", () => {
  const scale = [
    { name: "alpha", f: 0.5 },
    { name: "beta", f: -2 },
    { name: "transB", i: 1n },
  ];
  const { weights } = readNetwork(
    smallOnnx({ ...FIRST, attribute: scale } as typeof FIRST, TANH, SECOND),
    { file: "n" },
  );
  assert.deepEqual(weights[0], {
    weight: MATRICES.w1.values.map((value) => 0.5 * value),
    bias: MATRICES.b1.values.map((value) => -2 * value),
  });
  for (const shape of [[], [1], [1, 1]]) {
    const single = { ...MATRICES, b1: { shape, values: Float32Array.of(0.25) } };
    const bytes = onnx([FIRST, TANH, SECOND], { initializer: initializersOf(single) });
    const read = readNetwork(bytes, { file: "n" });
    assert.deepEqual(read.weights[0]!.bias, new Float32Array(4).fill(0.25));
  }
});

test("networks: an ONNX graph without activations is linear, and names of initializers among the inputs are none", () => {
  const graph = {
    node: [FIRST, { ...SECOND, input: ["one", "w2", "b2"] }],
    input: ["w1", "x", "b1"].map((name) => ({ name })),
    output: [{ name: "y" }],
    initializer: INITIALIZERS,
  };
  const read = readNetwork(onnxFile({ graph, opsetImport: [{}] }), { file: "n" });
  assert.equal(read.network.activation, "linear");
  assert.deepEqual(read.weights, SMALL_WEIGHTS);
});

test("networks: of an ONNX graph that is no fully connected network, the reason is given", () => {
  const tanh = (input: string, output: string) => onnxNode("Tanh", [input], { output: [output] });
  const changed = (name: string, change: object) =>
    onnx([FIRST, TANH, SECOND], {
      initializer: INITIALIZERS.map((one) => (one.name === name ? { ...one, ...change } : one)),
    });
  const deeper = (second: ReturnType<typeof onnxNode>) => [
    FIRST,
    TANH,
    onnxNode("Gemm", ["h", "square"], { ...TRANS_B, output: ["two"] }),
    second,
    { ...SECOND, input: [second.output[0]!, "w2", "b2"] },
  ];
  const square = onnxTensor("square", {
    shape: [4, 4],
    values: tensor([4, 4]).values as Float32Array,
  });
  const with3 = (...nodes: ReturnType<typeof onnxNode>[]) =>
    onnx(nodes, { initializer: [...INITIALIZERS, square] });
  const model = (graph: object, rest: object = { opsetImport: [{}] }) =>
    onnxFile({ graph, ...rest });
  const small = {
    node: [FIRST, TANH, SECOND],
    input: [{ name: "x" }],
    output: [{ name: "y" }],
    initializer: INITIALIZERS,
  };
  const refused: [bytes: Uint8Array, ...messages: RegExp[]][] = [
    [
      smallOnnx(
        onnxNode("Conv", ["x", "w1"], { output: ["c"] }),
        onnxNode("BatchNormalization", ["c", "b1", "b1"], { output: ["b"] }),
        onnxNode("Gelu", ["b"], { output: ["g"] }),
        onnxNode("FusedMatMul", ["g", "w2"], { domain: "com.microsoft", output: ["y"] }),
      ),
      /graph: expected no operators but Gemm, .* found Conv \(a convolution\), BatchNormalization \(a normalisation\), Gelu, com.microsoft.FusedMatMul$/,
    ],
    [
      with3(...deeper(onnxNode("Add", ["h", "two"]))),
      /expected an Add of a bias, found one of h, two, as of a residual connection/,
    ],
    [
      with3(...deeper(onnxNode("Relu", ["two"]))),
      /expected the same activation of all hidden layers, found tanh of w1, relu of square/,
    ],
    [
      smallOnnx(FIRST, TANH, onnxNode("MatMul", ["h", "one"])),
      /dynamic weights: h, one are inputs or computed/,
    ],
    [
      model({
        ...small,
        initializer: INITIALIZERS.slice(1),
        input: [{ name: "x" }, { name: "w1" }],
      }),
      /dynamic weights: x, w1/,
      /graph inputs: expected one, found x, w1/,
    ],
    [
      model({ ...small, output: [{ name: "h" }, { name: "y" }] }),
      /graph outputs: expected one, found h, y/,
    ],
    [
      model({ ...small, output: [{ name: "nothing" }] }),
      /value y: expected one node that takes it, found none/,
    ],
    [
      model({ ...small, node: [...small.node, tanh("h", "other")] }),
      /value h: expected one node that takes it, found node Gemm of y, node Tanh of other/,
    ],
    [model({ ...small, node: [FIRST, { ...TANH, output: ["x"] }] }), /value x: expected one node/],
    [model({ ...small, sparseInitializer: [{}] }), /expected weights as dense tensors/],
    [
      changed("w1", { dataLocation: 1, rawData: new Uint8Array() }),
      /constant w1: .*external data, in another file: export with the weights inside/,
    ],
    [changed("w1", { dataType: 3 }), /constant w1: .* found type INT8/],
    [changed("w1", { dataType: 99 }), /found type 99/],
    [changed("w1", { dims: [4n, 4n] }), /found 12 numbers for \[4, 4\]/],
    [changed("w1", { dims: [4n, -3n] }), /found \[4, -3\], which is empty/],
    [
      changed("w1", { dims: [12n] }),
      /expected weights of two dimensions, in FLOAT or DOUBLE, found \[12\]/,
    ],
    [changed("b1", { dims: [4n, 1n] }), /constant b1: expected a bias \[4\], found \[4, 1\]/],
    [changed("b1", { dims: [2n] }), /4 numbers for \[2\]/],
    [
      changed("w2", { dims: [4n, 2n] }),
      /constant w2: expected \[4, 4\], as layer w1 before it has 4 outputs/,
      /constant b2: expected \[4\]/,
    ],
    [
      changed("b1", { rawData: new Uint8Array(Float32Array.of(1, 2, Number.NaN, 3).buffer) }),
      /constant b1: expected finite numbers, found NaN at \[2\]/,
    ],
    [smallOnnx(FIRST), /found only w1 \[4, 3\]/],
    [
      smallOnnx({ ...FIRST, attribute: [{ name: "transA", i: 1n }] } as typeof FIRST, TANH, SECOND),
      /samples in rows/,
    ],
    [
      smallOnnx({ ...FIRST, input: ["w1", "x"] }, TANH, SECOND),
      /expected \[samples, in\] as the first factor, found w1, a constant/,
    ],
    [
      smallOnnx(onnxNode("Add", ["w1", "w1"], { output: ["one"] }), TANH, SECOND),
      /expected an input that is no constant/,
    ],
    [
      smallOnnx(FIRST, TANH, tanh("h", "h2"), { ...SECOND, input: ["h2", "w2", "b2"] }),
      /expected one activation after a layer, found Tanh after tanh/,
    ],
    [
      smallOnnx(tanh("x", "h0"), { ...FIRST, input: ["h0", "w1", "b1"] }, TANH, SECOND),
      /expected a linear layer first, found Tanh/,
    ],
    [
      smallOnnx(FIRST, TANH, SECOND, onnxNode("Add", ["y", "b2"])),
      /expected an Add of a bias right after MatMul/,
    ],
    [
      smallOnnx(
        FIRST,
        TANH,
        SECOND,
        onnxNode("Softmax", ["y"], { attribute: [{ name: "axis", i: 0n }] }),
      ),
      /expected axis 1, of the outputs, found axis 0/,
    ],
    [
      smallOnnx(FIRST, TANH, SECOND, onnxNode("Softmax", ["y"], { output: ["p"] }), tanh("p", "q")),
      /expected nothing after the softmax/,
    ],
    [
      smallOnnx(FIRST, TANH, onnxNode("Flatten", ["h"], { output: ["f"] }), {
        ...SECOND,
        input: ["f", "w2", "b2"],
      }),
      /a change of shape before the first layer alone/,
    ],
    [
      smallOnnx(
        onnxNode("Flatten", ["x"], { attribute: [{ name: "axis", i: 2n }], output: ["f"] }),
        { ...FIRST, input: ["f", "w1", "b1"] },
        TANH,
        SECOND,
      ),
      /expected \[samples, in\] as its result, found Flatten/,
    ],
    [
      smallOnnx(
        onnxNode("Reshape", ["x", "b1"], { output: ["f"] }),
        { ...FIRST, input: ["f", "w1", "b1"] },
        TANH,
        SECOND,
      ),
      /expected \[samples, in\] as its result, found Reshape/,
    ],
    ...[
      ["Gemm", "x"],
      ["MatMul", "x", ""],
      ["Gemm", "x", "", "b1"],
      ["Add", "x"],
    ].map(([opType, ...input]): [Uint8Array, RegExp] => [
      smallOnnx(onnxNode(opType!, input, { output: ["one"] }), TANH, SECOND),
      /expected two inputs, one of them a constant, found x/,
    ]),
    [smallOnnx(), /value x: expected one node that takes it, found none/],
    [
      onnxFile({ opsetImport: [{ version: 20n }, { version: 1n }] }),
      /expected an ONNX model with a graph, found none/,
    ],
    [model(small, {}), /expected an opset_import, found none: the file is cut off/],
  ];
  for (const [bytes, ...messages] of refused) assertRefused(bytes, ...messages);
});

test("networks: an ONNX graph with several faults tells them all, and not what follows from them", () => {
  const initializer = INITIALIZERS.map((one) => ({ ...one, dataType: 6 }));
  assertRefused(
    onnx(
      [FIRST, TANH, SECOND, onnxNode("Softmax", ["y"], { attribute: [{ name: "axis", i: 0n }] })],
      { initializer },
    ),
    /constant w1: .*INT32/,
    /constant w2: .*INT32/,
    /axis 1/,
  );
});

test("networks: a file that is cut off anywhere is refused, in either format", () => {
  const whole = [
    safetensors(sequential([2, 3, 1]), { activation: "tanh" }),
    encodeWeights(SMALL_WEIGHTS, {}),
    smallOnnx(FIRST, TANH, SECOND),
  ];
  for (const bytes of whole) {
    readNetwork(bytes, GIVEN);
    for (let length = 0; length < bytes.length; length++) faultsOf(bytes.subarray(0, length));
  }
});

test("networks: whatever a damaged file holds, it is refused with its faults or is a network", () => {
  const whole = [
    safetensors(sequential([2, 3, 4, 1]), { activation: "tanh", outputActivation: "linear" }),
    smallOnnx(FIRST, TANH, SECOND),
    readFileSync(repositoryFile("coordinator/test/fixtures/pytorch-dynamo.onnx")),
  ];
  const change = fc.record({ at: fc.nat(), byte: fc.nat(255), removed: fc.nat(3) });
  const changes = fc.array(change, { minLength: 1, maxLength: 4 });
  fc.assert(
    fc.property(fc.constantFrom(...whole), changes, (bytes, all) => {
      let damaged: Uint8Array = new Uint8Array(bytes);
      for (const { at, byte, removed } of all) {
        const i = at % damaged.length;
        const rest = damaged.subarray(i + removed);
        damaged = Buffer.concat([damaged.subarray(0, i), Uint8Array.of(byte), rest]);
      }
      try {
        const { network, weights } = readNetwork(damaged, { file: "n" });
        float64Weights(network, weights);
      } catch (error) {
        assert.ok(
          error instanceof DataError,
          `expected a DataError, got ${(error as Error).stack}`,
        );
      }
    }),
    { seed: 6, numRuns: 3000 },
  );
});
