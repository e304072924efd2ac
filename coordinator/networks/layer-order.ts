/** The order of layers that a file has only by name. */
import type { DataFault } from "../data/table.ts";

interface NamedLayer {
  readonly name: string;
  readonly inputs: number;
  readonly outputs: number;
}

/** More of them are not tried in every order. */
const MOST_GROUPS = 8;

/**
 * The layers in the order of the numbers in their names (`layers.10` after `layers.2`), if these differ in numbers; else in the
 * order in the file. The fault is null, or says that no order can be told.
 *
 * Python's safetensors sorts what it writes by name, so an order in the file that is that of the names says nothing. Then
 * the order is taken in which their shapes fit together, with those kept together that numbers order.
 */
export function orderLayers<T extends NamedLayer>(
  layers: readonly T[],
): { layers: readonly T[]; fault: DataFault | null } {
  const groups = groupsOf(layers);
  if (groups.length === 1) return { layers: groups[0]!, fault: null };
  if (!areSorted(layers)) return { layers, fault: null };
  const orders = groups.length > MOST_GROUPS ? [] : fittingOrders(groups);
  // Of none, the shapes are the fault, which is for others to find.
  if (groups.length <= MOST_GROUPS && orders.length < 2) {
    return { layers: orders[0] ?? layers, fault: null };
  }
  const found = [layers, ...orders].slice(-2).map((order) => order.map(({ name }) => name));
  const fault = {
    place: "layers",
    expected:
      "names that number them, such as layers.0, layers.1, … " +
      "(the file is sorted by name, and several orders are possible)",
    found: found.map((names) => names.join(", ")).join(" or "),
  };
  return { layers, fault };
}

/** Runs of layers whose order is known: of names that begin with the same text and differ first in a number. */
function groupsOf<T extends NamedLayer>(layers: readonly T[]): T[][] {
  if (areNumbered(layers)) return [sorted(layers)];
  const byText = new Map<string, T[]>();
  for (const layer of layers) {
    const text = /^\D*/.exec(layer.name)![0];
    byText.set(text, [...(byText.get(text) ?? []), layer]);
  }
  return [...byText.values()].flatMap((group) => {
    return areNumbered(group) ? [sorted(group)] : group.map((layer) => [layer]);
  });
}

function areNumbered(layers: readonly NamedLayer[]): boolean {
  return layers.every(({ name }, i) => {
    return layers.slice(0, i).every((other) => compareNumbers(name, other.name) !== null);
  });
}

function sorted<T extends NamedLayer>(layers: readonly T[]): T[] {
  return [...layers].sort((a, b) => compareNumbers(a.name, b.name)!);
}

/** Which name has the smaller number where they first differ; null if they differ there in more than a number. */
function compareNumbers(a: string, b: string): number | null {
  const [ours, theirs] = [a, b].map((name) => name.split(/(\d+)/));
  const at = ours!.findIndex((part, i) => part !== theirs![i]);
  // Odd parts are the numbers.
  const difference = at % 2 === 1 ? Number(ours![at]) - Number(theirs![at] ?? Number.NaN) : 0;
  return difference || null;
}

/** As the names of the tensors are, among which `a.b.weight` is before `a.weight`. */
function areSorted(layers: readonly NamedLayer[]): boolean {
  const names = layers.map(({ name }) => `${name}.weight`);
  return names.every((name, i) => i === 0 || names[i - 1]! < name);
}

/** Orders of the groups in which every layer has as many inputs as the one before it has outputs; two at most. */
function fittingOrders<T extends NamedLayer>(groups: readonly T[][]): T[][] {
  const orders: T[][] = [];
  const extend = (order: readonly T[], rest: readonly T[][]) => {
    if (orders.length === 2) return;
    if (rest.length === 0) orders.push([...order]);
    for (const group of rest) {
      const width = order.at(-1)?.outputs ?? group[0]!.inputs;
      if (group[0]!.inputs !== width) continue;
      extend(
        [...order, ...group],
        rest.filter((other) => other !== group),
      );
    }
  };
  extend([], groups);
  return orders;
}
