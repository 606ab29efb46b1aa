// The one state of the page, and who looks at it. It changes by events alone; looks are merged to one a frame.

import { fresh, reduce, settle } from "/page/js/reduce.js";

export function makeStore() {
  const watchers = new Set();
  const listeners = new Set();
  let state = fresh();
  let due = false;

  function changed() {
    if (due) return;
    due = true;
    // A page in the background gets no frames, and has still to be right when it is looked at.
    const later = document.hidden ? (run) => setTimeout(run, 200) : requestAnimationFrame;
    later(() => {
      due = false;
      for (const watch of watchers) watch(state);
    });
  }

  return {
    get state() {
      return state;
    },
    take(event, { replay = false } = {}) {
      reduce(state, event);
      if (!replay) for (const listen of listeners) listen(event, state);
      changed();
    },
    patch(fields) {
      Object.assign(state, fields);
      changed();
    },
    // What the server says that it is: the last word, unless events have come since.
    settle(status) {
      settle(state, status);
      changed();
    },
    restart() {
      state = { ...fresh(), link: state.link, status: state.status };
      changed();
    },
    // Called with the state, at most once a frame.
    watch(look) {
      watchers.add(look);
      changed();
    },
    // Called with every event as it comes, but not with those that are caught up with.
    listen(hear) {
      listeners.add(hear);
    },
  };
}
