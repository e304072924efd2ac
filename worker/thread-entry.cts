/**
 * What piscina loads in a thread. It loads by `require`, and Node 20 aborts the whole process if a thread is terminated
 * while it requires an ES module (`v8::Module::IsGraphAsync must be used on an instantiated module`): a run that ends, or
 * is interrupted, before all of its threads are ready. `import()` can be interrupted.
 */
const loading = load();
loading.catch(() => {}); // each task reports it

async function load() {
  const { hasFewDescriptors, importInOrder } = await import("../shared/few-descriptors.ts");
  if (hasFewDescriptors()) await importInOrder(`${__dirname}/thread.${__filename.slice(-2)}`); // ts or js
  return await import("./thread.ts");
}

module.exports = async (request: unknown) => {
  const { default: runTask } = await loading;
  return runTask(request as Parameters<typeof runTask>[0]);
};
