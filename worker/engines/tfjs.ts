import { initialWeights } from "../../shared/numerics/initialise.ts";
import { layerWidths, type NetworkShape } from "../../shared/numerics/network.ts";
import { createOptimizerState } from "../../shared/numerics/optimizers.ts";
import type { Engine, LoadedNetwork } from "./engine.ts";
import { exponentsAt } from "./tfjs/exponents.ts";
import { exponentsInPlane } from "./tfjs/field.ts";
import { loadTensorFlow } from "./tfjs/load.ts";
import {
  activations,
  layerTensors,
  type TensorNetwork,
  tensorsOf,
  weightsOf,
} from "./tfjs/network.ts";
import { type TangentLayers, tangentLayers } from "./tfjs/tangents.ts";
import type { TensorFlow } from "./tfjs/tensorflow.ts";
import { train } from "./tfjs/train.ts";

/**
 * Changes when the bytes of any result do; but TensorFlow's kernels are chosen by the processor, and the bytes
 * differ between kinds of them.
 */
export const TFJS_ID = "tfjs-f32.1";

/** TensorFlow's arithmetic, float32, through @tensorflow/tfjs-node. */
export function loadTfjs(): { readonly engine: Engine } | { readonly missing: string } {
  const loaded = loadTensorFlow((tf) => warmUp(tfjsEngine(tf)));
  return "missing" in loaded ? loaded : { engine: tfjsEngine(loaded.tf) };
}

function tfjsEngine(tf: TensorFlow): Engine {
  return {
    id: TFJS_ID,
    callWork: 1e9,
    details: { libtensorflow: tf.backend().binding?.TF_Version ?? "unknown" },
    load: (network, weights, stop) =>
      loadedNetwork({
        tf,
        shape: network,
        layers: layerTensors(tf, network, weights),
        stop: stop ?? null,
      }),
  };
}

/** @throws RangeError if the network does not have two inputs. */
function checkPlane({ inputs }: NetworkShape): void {
  if (inputs !== 2) throw new RangeError(`expected a network with 2 inputs, got ${inputs}`);
}

function loadedNetwork(loaded: TensorNetwork): LoadedNetwork {
  const { tf, shape } = loaded;
  let net = loaded;
  let tangents: TangentLayers | null = null;
  const forgetTangents = () => {
    tangents?.dispose();
    tangents = null;
  };
  const currentTangents = () => {
    tangents ??= tangentLayers(net);
    return tangents;
  };
  /** Takes over new layers, and disposes of the tensors that they replace. */
  const replaceLayers = (layers: TensorNetwork["layers"]) => {
    const kept = new Set(tensorsOf(layers));
    tf.dispose(tensorsOf(net.layers).filter((tensor) => !kept.has(tensor)));
    net = { ...net, layers };
    forgetTangents();
  };

  return {
    train(set, order, rule, state) {
      const { layers, stats } = train(net, { set, order, rule, state });
      replaceLayers(layers);
      return stats;
    },
    outputs: (inputs) => activations(net, inputs, layerWidths(shape).length - 1),
    activations: (inputs, layer) => activations(net, inputs, layer),
    field({ x, y, layers }) {
      checkPlane(shape);
      const inputs = new Float32Array(2 * x.length * y.length);
      let at = 0;
      for (const yj of y) {
        for (const xi of x) {
          inputs[at++] = xi;
          inputs[at++] = yj;
        }
      }
      return exponentsInPlane(net, currentTangents(), { inputs, layers });
    },
    exponents(inputs) {
      if (shape.inputs !== 2) return exponentsAt(net, currentTangents(), inputs);
      const points = { inputs, layers: "last" } as const;
      const { lambda1, lambda2 } = exponentsInPlane(net, currentTangents(), points);
      return { lambda1: Float64Array.from(lambda1), lambda2: Float64Array.from(lambda2) };
    },
    weights: () => weightsOf(net),
    dispose: () => replaceLayers([]),
  };
}

/** Uses every attribute of an operation that is used later (`tfjs/load.ts` tells why). */
function warmUp(engine: Engine): void {
  const network = {
    inputs: 3,
    hidden: [2, 2],
    outputs: 1,
    activation: "tanh",
    outputActivation: "tanh",
  } as const;
  const optimizer = { name: "adam", learningRate: 0, beta1: 0, beta2: 0, epsilon: 1 } as const;
  const weights = initialWeights(network, { weightVariance: 1, thresholdVariance: 1 }, [0, 0]);
  const loaded = engine.load(network, weights);
  const inputs = new Float32Array(3);
  loaded.train(
    { samples: 1, inputs, targets: new Float32Array(1) },
    new Uint32Array(1),
    { loss: "squared-error", optimizer, batch: 1, weightDecay: 1, frozen: [false, false, false] },
    createOptimizerState(optimizer, network),
  );
  loaded.exponents(inputs);
  loaded.outputs(inputs);
  loaded.dispose();
}
