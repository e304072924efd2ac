/** The messages of an ONNX file (https://github.com/onnx/onnx/blob/main/onnx/onnx.proto), as far as networks here need them. */
import { create, createFileRegistry, type DescMessage, fromBinary } from "@bufbuild/protobuf";
import {
  DescriptorProtoSchema,
  type FieldDescriptorProto,
  FieldDescriptorProto_Label,
  FieldDescriptorProto_Type,
  FieldDescriptorProtoSchema,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
} from "@bufbuild/protobuf/wkt";

export interface OnnxModel {
  readonly graph?: OnnxGraph;
  readonly opsetImport: readonly object[];
}

export interface OnnxGraph {
  /** Each after those whose outputs it takes. */
  readonly node: readonly OnnxNode[];
  readonly initializer: readonly OnnxTensor[];
  readonly sparseInitializer: readonly object[];
  /** Older files name the initializers among them. */
  readonly input: readonly { readonly name: string }[];
  readonly output: readonly { readonly name: string }[];
}

export interface OnnxNode {
  readonly name: string;
  readonly opType: string;
  /** Empty for ONNX's own operators. */
  readonly domain: string;
  /** Names of values; an empty one is an input left out. */
  readonly input: readonly string[];
  readonly output: readonly string[];
  readonly attribute: readonly OnnxAttribute[];
}

export interface OnnxAttribute {
  readonly name: string;
  readonly f: number;
  readonly i: bigint;
  readonly t?: OnnxTensor;
  readonly ints: readonly bigint[];
}

export interface OnnxTensor {
  readonly name: string;
  readonly dims: readonly bigint[];
  readonly dataType: number;
  readonly floatData: readonly number[];
  readonly int32Data: readonly number[];
  readonly doubleData: readonly number[];
  /** Little-endian; empty where one of the lists has the values. */
  readonly rawData: Uint8Array;
  /** 1: the values are in another file. */
  readonly dataLocation: number;
}

/** Number and type of each field, with [] if it is repeated. */
const MESSAGES: Readonly<Record<string, Readonly<Record<string, readonly [number, string]>>>> = {
  ModelProto: { graph: [7, "GraphProto"], opset_import: [8, "OperatorSetIdProto[]"] },
  OperatorSetIdProto: { version: [2, "INT64"] },
  GraphProto: {
    node: [1, "NodeProto[]"],
    initializer: [5, "TensorProto[]"],
    input: [11, "ValueInfoProto[]"],
    output: [12, "ValueInfoProto[]"],
    sparse_initializer: [15, "SparseTensorProto[]"],
  },
  SparseTensorProto: {},
  ValueInfoProto: { name: [1, "STRING"] },
  NodeProto: {
    input: [1, "STRING[]"],
    output: [2, "STRING[]"],
    name: [3, "STRING"],
    op_type: [4, "STRING"],
    attribute: [5, "AttributeProto[]"],
    domain: [7, "STRING"],
  },
  AttributeProto: {
    name: [1, "STRING"],
    f: [2, "FLOAT"],
    i: [3, "INT64"],
    t: [5, "TensorProto"],
    ints: [8, "INT64[]"],
  },
  TensorProto: {
    dims: [1, "INT64[]"],
    data_type: [2, "INT32"],
    float_data: [4, "FLOAT[]"],
    int32_data: [5, "INT32[]"],
    name: [8, "STRING"],
    raw_data: [9, "BYTES"],
    double_data: [10, "DOUBLE[]"],
    data_location: [14, "INT32"],
  },
};

let model: DescMessage | undefined;

/** The model's descriptor, made once. */
export function onnxModel(): DescMessage {
  model ??= createFileRegistry(fileDescriptor(), () => undefined).getMessage("onnx.ModelProto")!;
  return model;
}

/** @throws Error if the bytes are no message, or end within it. */
export function decodeOnnx(bytes: Uint8Array): OnnxModel {
  const message: unknown = fromBinary(onnxModel(), bytes, { readUnknownFields: false });
  return message as OnnxModel;
}

function fileDescriptor(): FileDescriptorProto {
  const messageType = Object.entries(MESSAGES).map(([name, fields]) => {
    return create(DescriptorProtoSchema, { name, field: Object.entries(fields).map(fieldOf) });
  });
  // proto3 and not ONNX's proto2, which has the same bytes: fields that are not there are then 0 or empty.
  const file = { name: "onnx.proto", package: "onnx", syntax: "proto3", messageType };
  return create(FileDescriptorProtoSchema, file);
}

function fieldOf([name, [number, type]]: [
  string,
  readonly [number, string],
]): FieldDescriptorProto {
  const { REPEATED, OPTIONAL } = FieldDescriptorProto_Label;
  const of = type.replace("[]", "");
  const label = of === type ? OPTIONAL : REPEATED;
  const scalar = FieldDescriptorProto_Type[of as keyof typeof FieldDescriptorProto_Type];
  return create(FieldDescriptorProtoSchema, {
    name,
    number,
    label,
    ...(scalar === undefined
      ? { type: FieldDescriptorProto_Type.MESSAGE, typeName: `.onnx.${of}` }
      : { type: scalar }),
  });
}
