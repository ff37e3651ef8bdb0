// Looking at a card again and again while it changes: one request at a time, not too often, the last state never missed.

import { useEffect, useRef, useState } from "../vendor/preact.js";

const PAUSE = 400; // milliseconds at least between two looks at a card that changes all the time
const SHARE = 2; // a look that takes so long is followed by so many times that pause, for the sake of the cards

/** What `look(wanted)` gave last, or why it failed. `wanted`: what is to be looked at, as a text, empty for nothing; an
 * answer to an older wish is not taken. `state`: looked again when it is another. */
export function useLooking(wanted, state, look) {
  const [answer, setAnswer] = useState({ wanted: "", told: null, problem: null });
  const now = useRef({ busy: false, timer: null, again: false, wanted: "", from: 0, look });
  now.current.look = look;
  now.current.wanted = wanted;

  function pump() {
    const at = now.current;
    if (at.busy || at.timer !== null || !at.wanted) return;
    at.timer = setTimeout(async () => {
      const asked = at.wanted;
      const began = Date.now();
      at.timer = null;
      at.busy = true;
      at.again = false;
      try {
        const told = await at.look(asked);
        if (at.wanted === asked) setAnswer({ wanted: asked, told, problem: null });
      } catch (problem) {
        if (at.wanted === asked) setAnswer((before) => ({ ...before, wanted: asked, problem }));
      } finally {
        at.busy = false;
        at.from = Math.max(began + PAUSE, began + SHARE * (Date.now() - began));
        if (at.again || at.wanted !== asked) pump();
      }
    }, Math.max(0, at.from - Date.now()));
  }

  useEffect(() => {
    now.current.from = 0; // who chooses something waits for nothing
    clearTimeout(now.current.timer);
    now.current.timer = null;
    pump();
  }, [wanted]);
  useEffect(() => {
    now.current.again = true;
    pump();
  }, [state]);
  useEffect(
    () => () => {
      now.current.wanted = "";
      clearTimeout(now.current.timer);
    },
    [],
  );
  return answer;
}
