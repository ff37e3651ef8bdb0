// Steering a slot. What another browser did meanwhile is told before it is done all the same.

import { useRef, useState } from "../../vendor/preact.js";
import { t } from "../../lib/i18n.js";

const CHANGED = "changed";

/** steer(slot, request) gives the run's answer, or null where it refused; `busy`: slots that are being steered;
 * `conflict`: what was changed meanwhile, with `again` and `drop`. */
export function useSteering(app) {
  const [busy, setBusy] = useState([]);
  const [conflict, setConflict] = useState(null);
  const known = useRef(new Map()); // changes of our own that the stream has not told yet

  const seen = (slot) => Math.max(slot.changes ?? 0, known.current.get(slot.slot) ?? 0);

  async function send(number, request, expects) {
    setBusy((before) => [...before, number]);
    try {
      const body = { ...request, slot: number };
      if (expects !== undefined) body.expects = expects;
      const answer = await app.post("/api/readers/steer", body);
      if (answer.changes !== undefined) known.current.set(answer.slot, answer.changes);
      return answer;
    } catch (error) {
      if (error.kind !== CHANGED) {
        app.toast(error.message || t("shell.server_gone"), "error");
        return null;
      }
      return new Promise((resolve) => {
        setConflict({
          text: error.message,
          again: () => {
            setConflict(null);
            resolve(send(number, request));
          },
          drop: () => {
            setConflict(null);
            resolve(null);
          },
        });
      });
    } finally {
      setBusy((before) => {
        const at = before.indexOf(number);
        return before.filter((_, index) => index !== at);
      });
    }
  }

  return { steer: (slot, request, expects = seen(slot)) => send(slot.slot, request, expects), busy, conflict, seen };
}
