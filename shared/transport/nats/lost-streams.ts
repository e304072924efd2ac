/** How a coordinator notices that the broker has lost its streams: they are then younger than they were. */
import { BrokerResetError } from "../../errors.ts";
import type { CoordinatorState } from "./coordinator-state.ts";
import { STREAMS } from "./names.ts";
import { setup, streamInfo } from "./setup.ts";

/** Creates missing streams and remembers how old they are. */
export async function prepareStreams(state: CoordinatorState): Promise<void> {
  const { broker, signal } = state;
  await setup(broker, undefined, { signal });
  state.streamCreated ??= await timeOfCreation(state);
}

/**
 * @throws BrokerResetError if the stream of tasks is not the one that was prepared. All queues are then
 * forgotten, so that the next publication makes them again.
 */
export async function refuseLostStreams(state: CoordinatorState): Promise<void> {
  if ((await timeOfCreation(state)) === state.streamCreated) return;
  state.queues.clear();
  state.streamCreated = null;
  throw new BrokerResetError("the broker has lost its streams; the store has all that is done");
}

async function timeOfCreation({ broker, signal }: CoordinatorState): Promise<string> {
  const found = await streamInfo(broker, STREAMS.tasks, signal);
  return found?.created ?? "";
}
