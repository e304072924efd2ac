/**
 * The part of @tensorflow/tfjs-node 4.22.0 that the engine uses. Its own types are not here where it is not
 * installed. Only public operations: each call makes a new float32 tensor.
 */
export interface TensorFlow {
  backend(): { readonly binding?: { readonly TF_Version?: string } };
  tensor2d(values: Float32Array, shape: readonly [number, number]): Tensor;
  tensor1d(values: Float32Array): Tensor;
  scalar(value: number): Tensor;

  /** a·b, of transposed factors if asked. */
  matMul(a: Tensor, b: Tensor, transposeA?: boolean, transposeB?: boolean): Tensor;
  add(a: Tensor, b: Tensor | number): Tensor;
  sub(a: Tensor, b: Tensor): Tensor;
  mul(a: Tensor, b: Tensor | number): Tensor;
  div(a: Tensor, b: Tensor): Tensor;
  abs(x: Tensor): Tensor;
  square(x: Tensor): Tensor;
  sqrt(x: Tensor): Tensor;
  reciprocal(x: Tensor): Tensor;
  exp(x: Tensor): Tensor;
  cosh(x: Tensor): Tensor;
  tanh(x: Tensor): Tensor;
  sigmoid(x: Tensor): Tensor;
  relu(x: Tensor): Tensor;
  sign(x: Tensor): Tensor;
  sum(x: Tensor, axis: number, keepDims?: boolean): Tensor;
  max(x: Tensor, axis: number): Tensor;
  reshape(x: Tensor, shape: readonly number[]): Tensor;
  concat(tensors: readonly Tensor[], axis: number): Tensor;
  split(x: Tensor, sizes: readonly number[], axis: number): Tensor[];

  /** Disposes of every tensor made in `work`, but for those in what it returns. */
  tidy<T>(work: () => T): T;
  dispose(tensors: Tensor | readonly Tensor[]): void;
  memory(): { readonly numTensors: number };
}

export interface Tensor {
  readonly size: number;
  /** A copy of the values, row-major. */
  dataSync(): Float32Array;
  dispose(): void;
}
