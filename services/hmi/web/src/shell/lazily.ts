// Parts of the application that are fetched when they are first shown.

import { type Component, createComponent, lazy } from "solid-js";

/** A part couldn't be fetched: the HMI is away, or has another build by now. */
export class NotFetched extends Error {
  constructor() {
    super("the HMI doesn't hand it out: it is away, or has another version by now");
  }
}

/** Fetched when it is first shown; what could not be fetched is tried again when it is shown the next time. */
export function lazily(fetched: () => Promise<{ default: Component }>): Component {
  let made: Component | undefined;
  return (props) => {
    made ??= lazy(() =>
      fetched().catch((reason: unknown) => {
        console.error(reason);
        // Solid's own keeps its failure for good.
        made = undefined;
        throw new NotFetched();
      }),
    );
    return createComponent(made, props);
  };
}
