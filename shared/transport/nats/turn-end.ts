/**
 * @returns a function whose promise resolves when the present turn of the event loop ends. All callers of one turn
 * continue together, so that the client library sends what they have to send in one write: a write costs more than
 * all else that a small message does.
 */
export function turnEnds(): () => Promise<void> {
  let end: Promise<void> | null = null;
  return () => {
    end ??= new Promise((resolve) => {
      setImmediate(() => {
        end = null;
        resolve();
      });
    });
    return end;
  };
}
