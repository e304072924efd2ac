/** Checks a PromQL expression against the metrics that exist, as far as that can be done without data. */
import { parser } from "@prometheus-io/lezer-promql";
import { type KnownMetric, LABEL_VALUES, MIRRORS } from "./exported-metrics.ts";

type Node = ReturnType<typeof parser.parse>["topNode"];
type Labels = ReadonlySet<string>;
type Known = ReadonlyMap<string, KnownMetric>;

/** Functions that handle a counter which starts again. */
const OF_COUNTERS = new Set(["rate", "increase", "irate"]);

/** Names of the metrics in it. */
export function metricsIn(expr: string): Set<string> {
  const found = new Set<string>();
  parser.parse(expr).iterate({
    enter({ name, from, to }) {
      if (name === "Identifier") found.add(expr.slice(from, to));
    },
  });
  return found;
}

/**
 * Labels of what it gives.
 * @throws if it cannot be parsed, or uses a metric or label that is not there, a value that a label never has, a
 * counter outside rate or increase, or another metric within.
 */
export function checkedLabels(expr: string, known: Known): Labels {
  const { topNode } = parser.parse(expr);
  return labelsOf(topNode.firstChild!, { expr, known, around: null });
}

interface Scope {
  readonly expr: string;
  readonly known: Known;
  /** The function of which it is the argument. */
  readonly around: string | null;
}

const NONE: Labels = new Set();

function labelsOf(node: Node, scope: Scope): Labels {
  const text = scope.expr.slice(node.from, node.to);
  const inner = () => labelsOf(node.firstChild!, scope);
  switch (node.name) {
    case "NumberDurationLiteral":
    case "StringLiteral":
      return NONE;
    case "ParenExpr":
      return labelsOf(children(node)[0]!, { ...scope, around: null });
    case "MatrixSelector":
      return inner();
    case "VectorSelector":
      return ofSelector(node, scope);
    case "FunctionCall":
      return ofFunction(node, scope);
    case "AggregateExpr":
      return ofAggregate(node, scope);
    case "BinaryExpr":
      return ofBinary(node, scope);
    default:
      throw new Error(`cannot check ${node.name} in: ${text}`);
  }
}

function ofSelector(node: Node, { expr, known, around }: Scope): Labels {
  const name = textOf(node.getChild("Identifier"), expr);
  const metric = known.get(name);
  if (metric === undefined) throw new Error(`no such metric: ${name}`);
  const isRated = around !== null && OF_COUNTERS.has(around);
  if (metric.isCounter && !isRated && !MIRRORS.has(name) && around !== "last_over_time") {
    throw new Error(`counter outside rate or increase: ${name}`);
  }
  if (!metric.isCounter && isRated) throw new Error(`no counter, but in ${around}: ${name}`);
  for (const matcher of node.getChild("LabelMatchers")?.getChildren("UnquotedLabelMatcher") ?? []) {
    const label = textOf(matcher.getChild("LabelName"), expr);
    require([label], metric.labels, name);
    const values = LABEL_VALUES[`${name}.${label}`];
    const wanted = textOf(matcher.getChild("StringLiteral"), expr).slice(1, -1).split("|");
    for (const value of values === undefined ? [] : wanted) {
      if (!values!.includes(value)) throw new Error(`${name} never has ${label}="${value}"`);
    }
  }
  return metric.labels;
}

function ofFunction(node: Node, scope: Scope): Labels {
  const name = textOf(node.getChild("FunctionIdentifier"), scope.expr);
  const around = name === "round" ? scope.around : name;
  const all = children(node.getChild("FunctionCallBody")!).map((argument) =>
    labelsOf(argument, { ...scope, around }),
  );
  const labels = all.find(({ size }) => size > 0) ?? NONE;
  if (name !== "histogram_quantile") return labels;
  require(["le"], labels, name);
  return minus(labels, ["le"]);
}

function ofAggregate(node: Node, scope: Scope): Labels {
  const body = children(node.getChild("FunctionCallBody")!);
  const labels = labelsOf(body.at(-1)!, { ...scope, around: null });
  const modifier = node.getChild("AggregateModifier");
  if (modifier === null) return NONE;
  const named = labelNames(modifier.getChild("GroupingLabels"), scope.expr);
  require(named, labels, textOf(node, scope.expr));
  return modifier.getChild("By") === null ? minus(labels, named) : new Set(named);
}

function ofBinary(node: Node, scope: Scope): Labels {
  const left = labelsOf(node.firstChild!, { ...scope, around: null });
  const right = labelsOf(node.lastChild!, { ...scope, around: null });
  const isSet = ["And", "Or", "Unless"].some((name) => node.getChild(name) !== null);
  const matching = node.getChild("MatchingModifierClause");
  const text = textOf(node, scope.expr);
  if (matching === null || matching.getChild("On") === null) {
    const isScalar = isNumber(node.firstChild!, scope) || isNumber(node.lastChild!, scope);
    if (!isScalar && [...left].sort().join() !== [...right].sort().join()) {
      throw new Error(`labels of both sides differ: ${[...left]} and ${[...right]} in: ${text}`);
    }
    return left.size > 0 ? left : right;
  }
  const [first, second] = matching.getChildren("GroupingLabels");
  const on = labelNames(first ?? null, scope.expr);
  require(on, left, text);
  require(on, right, text);
  const taken = labelNames(second ?? null, scope.expr);
  if (matching.getChild("GroupLeft") !== null) {
    require(taken, right, text);
    return new Set([...left, ...taken]);
  }
  if (matching.getChild("GroupRight") !== null) {
    require(taken, left, text);
    return new Set([...right, ...taken]);
  }
  return isSet ? left : new Set(on);
}

/** A scalar, which is compared with a vector of whatever labels. */
function isNumber(node: Node, scope: Scope): boolean {
  if (node.name === "NumberDurationLiteral") return true;
  if (node.name === "FunctionCall") return /^(time|scalar)\b/.test(textOf(node, scope.expr));
  if (node.name === "ParenExpr") return isNumber(children(node)[0]!, scope);
  return (
    node.name === "BinaryExpr" &&
    isNumber(node.firstChild!, scope) &&
    isNumber(node.lastChild!, scope)
  );
}

function require(wanted: readonly string[], labels: Labels, where: string): void {
  for (const label of wanted) {
    if (!labels.has(label)) throw new Error(`no label ${label}: ${where}`);
  }
}

function labelNames(node: Node | null, expr: string): string[] {
  return node?.getChildren("LabelName").map((name) => textOf(name, expr)) ?? [];
}

function minus(labels: Labels, gone: readonly string[]): Labels {
  return new Set([...labels].filter((label) => !gone.includes(label)));
}

function textOf(node: Node | null, expr: string): string {
  return node === null ? "" : expr.slice(node.from, node.to);
}

function children(node: Node): Node[] {
  const found: Node[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) found.push(child);
  return found;
}
