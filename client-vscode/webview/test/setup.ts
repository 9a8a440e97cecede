// What the editor gives to a page, as far as the tests need it.
export const posted: unknown[] = [];
let kept: unknown;

Object.assign(globalThis, {
  acquireVsCodeApi: () => ({
    postMessage: (message: unknown) => posted.push(message),
    getState: () => kept,
    setState: (state: unknown) => {
      kept = state;
    },
  }),
});
