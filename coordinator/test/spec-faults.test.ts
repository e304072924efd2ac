import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSweep } from "../spec/parse-sweep.ts";
import { SpecError } from "../spec/spec-error.ts";

const AXES = "axes: {width: 10, depth: 2}\n";

/** Faulty specs with every line of their error, each without the file's name. */
const FAULTY: readonly { of: string; text: string; faults: readonly string[] }[] = [
  {
    of: "an empty text",
    text: "",
    faults: [
      "1:1: expected a map of `name`, `axes`, `where`, `zip`, `network`, `data`, `training`, `field`, `analyses`, `engine`, found nothing",
    ],
  },
  {
    of: "only a comment",
    text: "# nothing yet\n",
    faults: [
      "1:1: expected a map of `name`, `axes`, `where`, `zip`, `network`, `data`, `training`, `field`, `analyses`, `engine`, found nothing",
    ],
  },
  {
    of: "a top level that is not a map",
    text: "- width: 10\n",
    faults: [
      "1:1: expected a map of `name`, `axes`, `where`, `zip`, `network`, `data`, `training`, `field`, `analyses`, `engine`, found a list",
    ],
  },
  {
    of: "plain words",
    text: "train some networks\n",
    faults: [
      '1:1: expected a map of `name`, `axes`, `where`, `zip`, `network`, `data`, `training`, `field`, `analyses`, `engine`, found "train some networks"',
    ],
  },
  {
    of: "a tab as indentation",
    text: "axes:\n\twidth: 10\n",
    faults: ["2:1: expected spaces as indentation, found a tab"],
  },
  {
    of: "uneven indentation",
    text: "axes:\n    width: 10\n  depth: 2\n",
    faults: ["3:1: expected valid YAML, found all mapping items must start at the same column"],
  },
  {
    of: "a list that never ends",
    text: "axes: {width: [10, 20\n",
    faults: [
      "2:1: expected valid YAML, found flow sequence in block collection must be sufficiently indented and end with a ]",
    ],
  },
  {
    of: "a repeated key",
    text: `${AXES}name: a\nname: b\n`,
    faults: ["3:1: expected each key once, found the same key again"],
  },
  {
    of: "a second document",
    text: `${AXES}---\nname: b\n`,
    faults: ["2:1: expected one YAML document, found a second one"],
  },
  {
    of: "an alias without anchor",
    text: "axes: {width: *widths, depth: 2}\n",
    faults: ["1:15: expected an alias of an anchor above it, found `*widths`"],
  },
  {
    of: "an unknown tag",
    text: `${AXES}engine: !fast auto\n`,
    faults: ["2:9: expected valid YAML, found unresolved tag: !fast"],
  },
  {
    of: "no axes",
    text: "name: empty\n",
    faults: [
      "1:1  axes: expected a map of `width`, `depth`, `hidden`, `weightVariance`, `seed`, found nothing",
    ],
  },
  {
    of: "axes left empty",
    text: "axes:\nname: empty\n",
    faults: [
      "1:6  axes: expected a map of `width`, `depth`, `hidden`, `weightVariance`, `seed`, found nothing",
    ],
  },
  {
    of: "no width",
    text: "axes: {depth: 2}\n",
    faults: [
      "1:1  axes.width: expected widths of the hidden layers (or `hidden` or `network.weights` in place of `width` and `depth`), found nothing",
    ],
  },
  {
    of: "an unknown section",
    text: `${AXES}trainnig: {epochs: 3}\n`,
    faults: [
      '2:1  trainnig: expected one of `name`, `axes`, `where`, `zip`, `network`, `data`, `training`, `field`, `analyses`, `engine`, found "trainnig" (did you mean `training`?)',
    ],
  },
  {
    of: "an unknown axis",
    text: "axes: {width: 10, depth: 2, widht: 3}\n",
    faults: [
      '1:29  axes.widht: expected one of `width`, `depth`, `hidden`, `weightVariance`, `seed`, or the path of an option of `network`, `data` or `training`, such as `training.batch`, found "widht" (did you mean `width`?)',
    ],
  },
  {
    of: "an unknown key far from all",
    text: `${AXES}gpu: 3\n`,
    faults: [
      '2:1  gpu: expected one of `name`, `axes`, `where`, `zip`, `network`, `data`, `training`, `field`, `analyses`, `engine`, found "gpu"',
    ],
  },
  {
    of: "a prototype's name as key",
    text: "axes: {width: 10, depth: 2, __proto__: 3}\n",
    faults: [
      '1:29  axes.__proto__: expected one of `width`, `depth`, `hidden`, `weightVariance`, `seed`, or the path of an option of `network`, `data` or `training`, such as `training.batch`, found "__proto__"',
    ],
  },
  {
    of: "constructor as key",
    text: `${AXES}constructor: 3\n`,
    faults: [
      '2:1  constructor: expected one of `name`, `axes`, `where`, `zip`, `network`, `data`, `training`, `field`, `analyses`, `engine`, found "constructor"',
    ],
  },
  {
    of: "a width of zero",
    text: "axes: {width: 0, depth: 2}\n",
    faults: ["1:15  axes.width: expected an integer from 1 to 100000, found `0`"],
  },
  {
    of: "a negative width in a list",
    text: "axes:\n  width: [10, -20]\n  depth: 2\n",
    faults: ["2:15  axes.width[1]: expected an integer from 1 to 100000, found `-20`"],
  },
  {
    of: "a width that is not an integer",
    text: "axes: {width: [10, 2.5], depth: 2}\n",
    faults: ["1:20  axes.width[1]: expected an integer from 1 to 100000, found `2.5`"],
  },
  {
    of: "a width in words",
    text: "axes: {width: ten, depth: 2}\n",
    faults: [
      '1:15  axes.width: expected an integer from 1 to 100000, a list of them, a range such as `1..8` or `{from, to, step}`, or `{logspace: {from, to, count}}`, found "ten"',
    ],
  },
  {
    of: "a width of 10⁵ + 1",
    text: "axes: {width: 100001, depth: 2}\n",
    faults: ["1:15  axes.width: expected an integer from 1 to 100000, found `100001`"],
  },
  {
    of: "a depth of 1001",
    text: "axes: {width: 10, depth: 1001}\n",
    faults: ["1:26  axes.depth: expected an integer from 1 to 1000, found `1001`"],
  },
  {
    of: "an infinite width",
    text: "axes: {width: .inf, depth: 2}\n",
    faults: [
      "1:15  axes.width: expected an integer from 1 to 100000, a list of them, a range such as `1..8` or `{from, to, step}`, or `{logspace: {from, to, count}}`, found `.inf`",
    ],
  },
  {
    of: "not a number",
    text: "axes: {width: 10, depth: 2, weightVariance: [.nan]}\n",
    faults: ["1:46  axes.weightVariance[0]: expected a number > 0, found `.nan`"],
  },
  {
    of: "an empty list",
    text: "axes: {width: [], depth: 2}\n",
    faults: ["1:15  axes.width: expected a list of one or more values, found `[]`"],
  },
  {
    of: "a range that goes down",
    text: "axes: {width: 8..1, depth: 2}\n",
    faults: [
      '1:15  axes.width: expected a range `from..to` with from ≤ to, each an integer from 1 to 100000, found "8..1"',
    ],
  },
  {
    of: "a range in a map that goes down",
    text: "axes: {width: 10, depth: {from: 8, to: 1}}\n",
    faults: ["1:40  axes.depth.to: expected a value ≥ `from`, found `1`"],
  },
  {
    of: "a range without end",
    text: "axes: {width: 10, depth: {from: 8}}\n",
    faults: ["1:19  axes.depth.to: expected an integer from 1 to 1000, found nothing"],
  },
  {
    of: "a step of zero",
    text: "axes: {width: 10, depth: {from: 1, to: 8, step: 0}}\n",
    faults: ["1:49  axes.depth.step: expected an integer ≥ 1, found `0`"],
  },
  {
    of: "a misspelled range",
    text: "axes: {width: 10, depth: {form: 1, to: 8}}\n",
    faults: [
      "1:19  axes.depth.from: expected an integer from 1 to 1000, found nothing",
      '1:27  axes.depth.form: expected one of `from`, `to`, `step`, found "form" (did you mean `from`?)',
    ],
  },
  {
    of: "a logspace of one value",
    text: "axes: {width: {logspace: {from: 1, to: 8, count: 1}}, depth: 2}\n",
    faults: ["1:50  axes.width.logspace.count: expected an integer ≥ 2, found `1`"],
  },
  {
    of: "a logspace with more integers than there are",
    text: "axes: {width: {logspace: {from: 1, to: 3, count: 9}}, depth: 2}\n",
    faults: [
      "1:15  axes.width: expected no value twice, found `1` again (ask for fewer: they are rounded to integers)",
    ],
  },
  {
    of: "a value twice",
    text: "axes:\n  width: [10, 20, 10]\n  depth: 2\n",
    faults: ["2:19  axes.width[2]: expected no value twice, found `10` again"],
  },
  {
    of: "one shape twice",
    text: "axes: {hidden: [[50, 25], [50, 25]]}\n",
    faults: ["1:27  axes.hidden[1]: expected no value twice, found `[50,25]` again"],
  },
  {
    of: "hidden beside width",
    text: "axes: {hidden: [[50, 25]], width: 10}\n",
    faults: [
      "1:16  axes.hidden: expected either `hidden`, or `width` and `depth`, found `[[50, 25]]`",
    ],
  },
  {
    of: "hidden as one list",
    text: "axes: {hidden: [50, 25]}\n",
    faults: [
      "1:17  axes.hidden[0]: expected a list of layer widths, found `50`",
      "1:21  axes.hidden[1]: expected a list of layer widths, found `25`",
    ],
  },
  {
    of: "a weight variance of zero",
    text: "axes: {width: 10, depth: 2, weightVariance: 0}\n",
    faults: ["1:45  axes.weightVariance: expected a number > 0, found `0`"],
  },
  {
    of: "critical misspelled",
    text: "axes: {width: 10, depth: 2, weightVariance: critcal}\n",
    faults: [
      '1:45  axes.weightVariance: expected a number > 0, a list of them, a range such as `1..8` or `{from, to, step}`, `{logspace: {from, to, count}}`, `critical`, or `{logGain: …}`, found "critcal" (did you mean `critical`?)',
    ],
  },
  {
    of: "a log gain in words",
    text: "axes: {width: 10, depth: 2, weightVariance: {logGain: [0, high]}}\n",
    faults: [
      '1:59  axes.weightVariance.logGain[1]: expected a number from -50 to 50, found "high"',
    ],
  },
  {
    of: "a negative seed",
    text: "axes: {width: 10, depth: 2, seed: [-1]}\n",
    faults: ["1:36  axes.seed[0]: expected an integer ≥ 0, found `-1`"],
  },
  {
    of: "no seeds",
    text: "axes: {width: 10, depth: 2, seed: {count: 0}}\n",
    faults: ["1:43  axes.seed.count: expected an integer ≥ 1, found `0`"],
  },
  {
    of: "10¹² cells",
    text: "axes: {width: 1..100000, depth: 1..1000, seed: {count: 10000}}\n",
    faults: [
      "1:1  axes: expected at most 2,000,000 combinations of axis values, found 1,000,000,000,000: 10,000 of `seed` × 1 of `weightVariance` × 100,000 of `width` × 1,000 of `depth`",
    ],
  },
  {
    of: "a range of 10¹² seeds",
    text: "axes: {width: 10, depth: 2, seed: 1..1000000000000}\n",
    faults: [
      "1:1  axes: expected at most 2,000,000 combinations of axis values, found 1,000,000,000,000: 1,000,000,000,000 of `seed` × 1 of `weightVariance` × 1 of `width` × 1 of `depth`",
    ],
  },
  {
    of: "a zip of an unknown axis",
    text: `${AXES}zip: [width, dept]\n`,
    faults: [
      "2:14  zip[1]: expected an axis that is in `axes`, found `dept` (did you mean `depth`?)",
    ],
  },
  {
    of: "a zip of an axis that the spec does not have",
    text: `${AXES}zip: [hidden, seed]\n`,
    faults: ["2:7  zip[0]: expected an axis that is in `axes`, found `hidden`"],
  },
  {
    of: "a zip of one axis",
    text: `${AXES}zip: [[width]]\n`,
    faults: ["2:7  zip[0]: expected a list of two or more axes, found `[width]`"],
  },
  {
    of: "a zip of unequal lengths",
    text: "axes: {width: [10, 20, 30], depth: [2, 4]}\nzip: [[width, depth]]\n",
    faults: [
      "2:7  zip[0]: expected axes with equally many values, found 3 of `width`, 2 of `depth`",
    ],
  },
  {
    of: "an axis in two zips",
    text: "axes: {width: [10, 20], depth: [2, 4], seed: {count: 2}}\nzip: [[width, depth], [seed, width]]\n",
    faults: ["2:30  zip[1][1]: expected every axis at most once, found `width`"],
  },
  {
    of: "zipped values that repeat together",
    text: "axes: {width: [10, 10], depth: [2, 2]}\nzip: [width, depth]\n",
    faults: ["2:6  zip: expected no value twice, found `10, 2` again"],
  },
  {
    of: "an unknown name in where",
    text: `${AXES}where: widht < 20\n`,
    faults: [
      "2:8  where: expected one of `width`, `depth`, `weightVariance`, `logGain`, `seed`, found `widht` (did you mean `width`?)",
    ],
  },
  {
    of: "an unknown name in the second constraint",
    text: `${AXES}where:\n  - width < 20\n  - "depth * layers < 20"\n`,
    faults: [
      "4:14  where[1]: expected one of `width`, `depth`, `weightVariance`, `logGain`, `seed`, found `layers`",
    ],
  },
  {
    of: "a constraint that is no comparison",
    text: `${AXES}where: width * depth\n`,
    faults: ["2:8  where: expected a comparison such as `width * depth <= 2000`, found a number"],
  },
  {
    of: "an assignment in where",
    text: `${AXES}where: width = 10\n`,
    faults: [
      '2:14  where: expected a comparison such as `width * depth <= 2000`, found unexpected "=" (equality is written ==)',
    ],
  },
  {
    of: "a constraint that ends too soon",
    text: `${AXES}where: 'width <'\n`,
    faults: [
      "2:16  where: expected a comparison such as `width * depth <= 2000`, found no expression after <",
    ],
  },
  {
    of: "a comparison of a comparison",
    text: `${AXES}where: 1 < width < 20\n`,
    faults: [
      "2:8  where: expected a number before `<`, found a comparison (join comparisons with `and`)",
    ],
  },
  {
    of: "a member in where",
    text: `${AXES}where: width.constructor < 20\n`,
    faults: [
      "2:8  where: expected one of `width`, `depth`, `weightVariance`, `logGain`, `seed`, found `width.constructor`",
    ],
  },
  {
    of: "a prototype's name in where",
    text: `${AXES}where: __proto__ < 20\n`,
    faults: [
      "2:8  where: expected one of `width`, `depth`, `weightVariance`, `logGain`, `seed`, found `__proto__`",
    ],
  },
  {
    of: "a function that is not offered",
    text: `${AXES}where: constructor(width) < 20\n`,
    faults: [
      "2:8  where: expected one of `min`, `max`, `abs`, `sqrt`, `log`, `exp`, `floor`, found `constructor`",
    ],
  },
  {
    of: "a function of too many numbers",
    text: `${AXES}where: sqrt(width, depth) < 20\n`,
    faults: ["2:8  where: expected `sqrt` of one number, found 2 arguments"],
  },
  {
    of: "a constraint that is a number",
    text: `${AXES}where: [3]\n`,
    faults: ["2:9  where[0]: expected a comparison such as `width * depth <= 2000`, found `3`"],
  },
  {
    of: "constraints that contradict each other",
    text: "axes: {width: [10, 20], depth: 2}\nwhere: [width < 15, width > 15]\n",
    faults: [
      "2:8  where: expected constraints that at least one combination of axis values satisfies, found `width < 15` with `width > 15`",
    ],
  },
  {
    of: "an activation misspelled",
    text: `${AXES}network: {activation: Tahn}\n`,
    faults: [
      '2:23  network.activation: expected one of `tanh`, `relu`, `sigmoid`, `linear`, found "Tahn" (did you mean `tanh`?)',
    ],
  },
  {
    of: "a negative threshold variance",
    text: `${AXES}network: {thresholdVariance: -1}\n`,
    faults: ["2:30  network.thresholdVariance: expected a number ≥ 0, found `-1`"],
  },
  {
    of: "an unknown data set",
    text: `${AXES}data: {name: cirlce}\n`,
    faults: [
      '2:14  data.name: expected one of `circle`, `moons`, `spirals`, `rings`, `checkerboard`, `gaussians`, `file`, `mnist`, `fashion-mnist`, `none`, found "cirlce" (did you mean `circle`?)',
    ],
  },
  {
    of: "data without a name",
    text: `${AXES}data: {samples: 10}\n`,
    faults: [
      "2:1  data.name: expected one of `circle`, `moons`, `spirals`, `rings`, `checkerboard`, `gaussians`, `file`, `mnist`, `fashion-mnist`, `none`, found nothing",
    ],
  },
  {
    of: "data as a word",
    text: `${AXES}data: circle\n`,
    faults: ['2:7  data: expected a map with `name` and options, found "circle"'],
  },
  {
    of: "an unknown option of the data set",
    text: `${AXES}data: {name: circle, radios: 1}\n`,
    faults: [
      '2:22  data.radios: expected one of `name`, `samples`, `trainFraction`, `radius`, `standardised`, `seed`, found "radios" (did you mean `radius`?)',
    ],
  },
  {
    of: "an option out of bounds",
    text: `${AXES}data: {name: circle, trainFraction: 1}\n`,
    faults: ["2:37  data.trainFraction: expected a number > 0 and < 1, found `1`"],
  },
  {
    of: "an option of the wrong kind",
    text: `${AXES}data: {name: circle, standardised: 1}\n`,
    faults: ["2:36  data.standardised: expected `true` or `false`, found `1`"],
  },
  {
    of: "an unknown optimizer",
    text: `${AXES}training: {optimizer: adan}\n`,
    faults: [
      '2:23  training.optimizer: expected `sgd`, `adam`, `rmsprop`, or a map with one of these names and its parameters, found "adan" (did you mean `adam`?)',
    ],
  },
  {
    of: "an optimizer without a name",
    text: `${AXES}training: {optimizer: {momentum: 0.9}}\n`,
    faults: [
      "2:12  training.optimizer.name: expected one of `sgd`, `adam`, `rmsprop`, found nothing",
    ],
  },
  {
    of: "a parameter of another optimizer",
    text: `${AXES}training: {optimizer: {name: adam, momentum: 0.9}}\n`,
    faults: [
      '2:36  training.optimizer.momentum: expected one of `name`, `learningRate`, `beta1`, `beta2`, `epsilon`, found "momentum"',
    ],
  },
  {
    of: "a momentum of one",
    text: `${AXES}training: {optimizer: {name: sgd, momentum: 1}}\n`,
    faults: ["2:45  training.optimizer.momentum: expected a number ≥ 0 and < 1, found `1`"],
  },
  {
    of: "a learning rate of zero",
    text: `${AXES}training: {learningRate: 0}\n`,
    faults: ["2:26  training.learningRate: expected a number > 0, found `0`"],
  },
  {
    of: "two learning rates",
    text: `${AXES}training:\n  optimizer: {name: sgd, learningRate: 0.1}\n  learningRate: 0.05\n`,
    faults: [
      '4:3  training.learningRate: expected `learningRate` inside `optimizer`, which is a map here, found "learningRate"',
    ],
  },
  {
    of: "a negative number of epochs",
    text: `${AXES}training: {epochs: -1}\n`,
    faults: ["2:20  training.epochs: expected an integer from 0 to 1000000, found `-1`"],
  },
  {
    of: "a batch of zero",
    text: `${AXES}training: {batch: 0}\n`,
    faults: ["2:19  training.batch: expected an integer from 1 to 1000000, found `0`"],
  },
  {
    of: "an accuracy above one",
    text: `${AXES}training: {stopAtAccuracy: 98}\n`,
    faults: ["2:28  training.stopAtAccuracy: expected a number > 0 and ≤ 1, found `98`"],
  },
  {
    of: "a snapshot after the last epoch",
    text: `${AXES}training: {epochs: 12, snapshots: [0, 20, end]}\n`,
    faults: [
      "2:39  training.snapshots[1]: expected an epoch ≤ 12, the `epochs` of the training, found `20`",
    ],
  },
  {
    of: "a snapshot misspelled",
    text: `${AXES}training: {snapshots: [edn]}\n`,
    faults: [
      '2:24  training.snapshots[0]: expected an epoch (an integer ≥ 0) or `end`, found "edn"',
    ],
  },
  {
    of: "a loss that does not fit the data",
    text: `${AXES}training: {loss: binary-cross-entropy}\ndata: {name: rings, classes: 3}\n`,
    faults: [
      '2:18  training.loss: expected one of `squared-error`, `softmax-cross-entropy`, as data set `rings` has 3 classes, found "binary-cross-entropy" (did you mean `softmax-cross-entropy`?)',
    ],
  },
  {
    of: "softmax over tanh",
    text: `${AXES}training: {loss: softmax-cross-entropy}\nnetwork: {outputActivation: tanh}\n`,
    faults: [
      '3:29  network.outputActivation: expected `linear` with the loss `softmax-cross-entropy`, found "tanh"',
    ],
  },
  {
    of: "squared error over relu",
    text: `${AXES}network: {outputActivation: relu}\n`,
    faults: [
      '2:29  network.outputActivation: expected one of `tanh`, `linear` with the loss `squared-error`, found "relu"',
    ],
  },
  {
    of: "a field misspelled",
    text: `${AXES}field: non\n`,
    faults: [
      '2:8  field: expected `none` or a map of `region`, `plane`, `points`, `layers`, `tile`, found "non" (did you mean `none`?)',
    ],
  },
  {
    of: "no points",
    text: `${AXES}field: {points: 0}\n`,
    faults: ["2:17  field.points: expected an integer from 1 to 8192, found `0`"],
  },
  {
    of: "a tile that is not a power of two",
    text: `${AXES}field: {tile: 100}\n`,
    faults: ["2:15  field.tile: expected `auto` or a power of two from 16 to 512, found `100`"],
  },
  {
    of: "a region from right to left",
    text: `${AXES}field: {region: {x: [1, -1], y: [-1, 1]}}\n`,
    faults: [
      "2:21  field.region.x: expected two numbers `[from, to]` with from < to, at most 1e6 in size and 1e-9 apart or more, found `[1, -1]`",
    ],
  },
  {
    of: "a region in which points coincide",
    text: `${AXES}field: {region: {x: [1, 1.0000000000000002], y: [-1e308, 1e308]}}\n`,
    faults: [
      "2:21  field.region.x: expected two numbers `[from, to]` with from < to, at most 1e6 in size and 1e-9 apart or more, found `[1, 1.0000000000000002]`",
      "2:49  field.region.y: expected two numbers `[from, to]` with from < to, at most 1e6 in size and 1e-9 apart or more, found `[-1e308, 1e308]`",
    ],
  },
  {
    of: "more layers than can be planned",
    text: "axes: {width: 1..1000, depth: 1..1000}\n",
    faults: [
      "1:1  axes: expected at most 20,000,000 hidden layers in all networks that differ in width or depth, found 500,500,000",
    ],
  },
  {
    of: "a region of one interval",
    text: `${AXES}field: {region: {x: [-1, 1]}}\n`,
    faults: [
      "2:9  field.region.y: expected two numbers `[from, to]` with from < to, at most 1e6 in size and 1e-9 apart or more, found nothing",
    ],
  },
  {
    of: "an unknown engine",
    text: `${AXES}engine: refernce\n`,
    faults: [
      '2:9  engine: expected one of `auto`, `native`, `tfjs`, `reference`, found "refernce" (did you mean `reference`?)',
    ],
  },
  {
    of: "a name with a slash",
    text: `${AXES}name: a/b\n`,
    faults: [
      '2:7  name: expected a name of at most 80 letters, digits, spaces, dots, hyphens or underscores, found "a/b"',
    ],
  },
];

for (const { of, text, faults } of FAULTY) {
  test(`spec faults: ${of} is refused with its place`, () => {
    assert.deepEqual(errorLines(text), faults);
  });
}

test("spec faults: all faults of a file are reported at once, in the order of the text", () => {
  const text = `\
nmae: everything
axes:
  width: [10, 20, ten]
  depth: [2, 4]
  weightVariance: {logGain: [-0.2, 0, 0.2]}
zip: [[depth, weightVariance]]
where:
  - width <
  - depth > hidden
network: {activation: than}
data: {name: circle, samples: many}
training:
  optimizer: {name: sgd, momentum: 2}
  learningRate: 0.1
  epochs: 5
  snapshots: [0, 10]
field: {points: 10000, tile: 20}
`;
  assert.deepEqual(places(text), [
    "1:1 nmae",
    "3:19 axes.width[2]",
    "6:7 zip[0]",
    "8:12 where[0]",
    "9:13 where[1]",
    "10:23 network.activation",
    "11:31 data.samples",
    "13:36 training.optimizer.momentum",
    "16:18 training.snapshots[1]",
    "17:17 field.points",
    "17:30 field.tile",
  ]);
});

test("spec faults: a repeated key does not hide other faults", () => {
  assert.deepEqual(places("axes: {width: 0, depth: 2}\nengine: auto\nengine: slow\n"), [
    "1:15 axes.width",
    "3:1 ",
    "3:9 engine",
  ]);
});

test("spec faults: a fault behind an alias is reported where it is written", () => {
  const text = "axes:\n  width: &sizes [4, 2000]\n  depth: *sizes\n";
  assert.deepEqual(places(text), ["2:21 axes.depth[1]"]);
});

test("spec faults: aliases that multiply without bound are refused", () => {
  const levels = ["a: &a [1, 1, 1, 1, 1, 1, 1, 1, 1, 1]"];
  for (const [above, name] of ["ab", "bc", "cd", "de", "ef", "fg", "gh", "hi"]) {
    levels.push(`${name}: &${name} [${new Array(10).fill(`*${above}`).join(", ")}]`);
  }
  const [line] = errorLines(levels.join("\n"));
  assert.match(line!, /^1:1: expected aliases that expand to a spec of ordinary size/);
});

test("spec faults: brackets nested without bound are refused", () => {
  assert.match(errorLines("[".repeat(10_000))[0]!, /^1:\d+: expected valid YAML/);
});

test("spec faults: neither tags nor older versions of YAML make anything but plain values", () => {
  const text = "%YAML 1.1\n---\naxes: {width: 2001-01-01, depth: 2}\nfield: no\n";
  assert.deepEqual(places(text), ["3:15 axes.width", "4:8 field"]);
  assert.deepEqual(errorLines("axes: {width: !!binary aGk=, depth: 2}\n"), [
    "1:15: expected valid YAML, found unresolved tag: tag:yaml.org,2002:binary",
  ]);
});

test("spec faults: a column in a block of text is that of the block", () => {
  assert.deepEqual(places(`${AXES}where: |\n  width < 20\n  and widht > 3\n`), ["2:8 where"]);
});

test("spec error: the message names file, place and fault, and the exit code is that of usage", () => {
  const parsed = parseSweep("axes: {width: 10, dpeth: 2}\n", { file: "fig.yaml" });
  assert.ok("faults" in parsed);
  const error = new SpecError("fig.yaml", parsed.faults);
  assert.equal(error.name, "SpecError");
  assert.equal(error.exitCode, 2);
  assert.equal(
    error.message,
    "fig.yaml:1:1  axes.depth: expected numbers of hidden layers " +
      "(or `hidden` or `network.weights` in place of `width` and `depth`), found nothing\n" +
      "fig.yaml:1:19  axes.dpeth: expected one of `width`, `depth`, `hidden`, `weightVariance`, `seed`, " +
      "or the path of an option of `network`, `data` or `training`, such as `training.batch`, " +
      'found "dpeth" (did you mean `depth`?)',
  );
});

function errorLines(text: string): string[] {
  const parsed = parseSweep(text, { file: "spec.yaml" });
  if (!("faults" in parsed)) return [];
  return parsed.faults.map((fault) => new SpecError("", [fault]).message.slice(1));
}

function places(text: string): string[] {
  const parsed = parseSweep(text, { file: "spec.yaml" });
  if (!("faults" in parsed)) return [];
  return parsed.faults.map(({ line, column, path }) => `${line}:${column} ${path}`);
}
