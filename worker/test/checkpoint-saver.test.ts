import assert from "node:assert/strict";
import { test } from "node:test";
import { checkpointSaver } from "../loop/checkpoint-saver.ts";

/** Saves that end when the test says so. */
function gatedSaver() {
  const saving: { readonly bytes: Uint8Array; done(): void; fail(): void }[] = [];
  const saver = checkpointSaver((bytes) => {
    return new Promise((done, reject) => {
      saving.push({ bytes, done, fail: () => reject(new Error("no room")) });
    });
  });
  return { saver, saving };
}

const tick = () => new Promise((resolve) => setImmediate(resolve));
const bytes = (value: number) => Uint8Array.of(value);

test("checkpoint saver: one save at a time, and of those that wait the latest alone", async () => {
  const { saver, saving } = gatedSaver();
  for (const value of [1, 2, 3]) saver.add(bytes(value));
  await tick();
  assert.deepEqual(
    saving.map(({ bytes: [value] }) => value),
    [1],
  );
  saving[0]!.done();
  await tick();
  assert.deepEqual(
    saving.map(({ bytes: [value] }) => value),
    [1, 3],
  );
});

test("checkpoint saver: settles when the last one is saved, and works again after that", async () => {
  const { saver, saving } = gatedSaver();
  await saver.settled();
  saver.add(bytes(1));
  saver.add(bytes(2));
  let isSettled = false;
  const settled = saver.settled().then(() => {
    isSettled = true;
  });
  saving[0]!.done();
  await tick();
  assert.equal(isSettled, false);
  saving[1]!.done();
  await settled;
  saver.add(bytes(3));
  assert.deepEqual(
    saving.map(({ bytes: [value] }) => value),
    [1, 2, 3],
  );
});

test("checkpoint saver: one that cannot be saved is passed over", async () => {
  const { saver, saving } = gatedSaver();
  saver.add(bytes(1));
  saver.add(bytes(2));
  saving[0]!.fail();
  await tick();
  saving[1]!.fail();
  await saver.settled();
  assert.equal(saving.length, 2);
});
