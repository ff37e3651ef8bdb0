// The part of a session's rows that is on the screen, asked for anew as one scrolls and as rows come.

import { useEffect, useMemo, useRef, useState } from "../../vendor/preact.js";

const BESIDE = 40; // rows above and below what is seen, so that scrolling shows no gaps
const NOTHING = { first: 0, total: 0, start: 0, rows: [] };

/** One question at a time; while it is under way, only the newest is kept. */
class Loader {
  constructor(source, filter, show, fail) {
    Object.assign(this, { source, filter, show, fail, start: 0, count: 2 * BESIDE });
    this.until = null; // the last row that is shown, while the view is held
    this.limit = null;
    this.busy = this.again = this.ended = false;
  }

  range(start, count) {
    this.start = start;
    this.count = count;
    this.load();
  }

  hold(until) {
    if (until === this.until) return;
    this.until = until;
    this.limit = null;
    this.load();
  }

  async load() {
    this.again = true;
    if (this.busy) return;
    this.busy = true;
    try {
      while (this.again && !this.ended) {
        this.again = false;
        const got = await this.#asked();
        if (!this.ended) this.show(got);
      }
    } catch (error) {
      if (!this.ended) this.fail(error);
    } finally {
      this.busy = false;
    }
  }

  async #asked() {
    if (this.until !== null && this.limit === null) {
      this.limit = await this.source.position(this.filter, this.until + 1);
    }
    const held = this.until !== null;
    const start = held && this.start < 0 ? Math.max(this.limit + this.start, 0) : this.start;
    const got = await this.source.window(this.filter, start, this.count);
    if (!held) return got;
    const total = Math.min(got.total, this.limit);
    return { ...got, total, rows: got.rows.slice(0, Math.max(total - got.start, 0)) };
  }
}

/**
 * Rows of a filter. `revision`: another value when the source has others. `until`: the row after which nothing is shown
 * while the view is held, null otherwise. Gives the window and `see(start, count)`, which says what is on the screen.
 */
export function useRows(source, filter, revision, until, onError) {
  const [view, setView] = useState(NOTHING);
  const loader = useRef(null);
  useMemo(() => {
    const one = new Loader(source, filter, setView, onError);
    if (loader.current) Object.assign(one, { start: loader.current.start, count: loader.current.count });
    one.until = until;
    loader.current = one;
  }, [source, filter]);
  useEffect(() => {
    const one = loader.current;
    one.load();
    return () => {
      one.ended = true;
    };
  }, [source, filter]);
  useEffect(() => loader.current.hold(until), [until]);
  useEffect(() => {
    if (until === null) loader.current.load();
  }, [revision]);
  const see = (start, count, fromEnd = false) =>
    fromEnd ? loader.current.range(-(count + BESIDE), count + BESIDE)
      : loader.current.range(Math.max(start - BESIDE, 0), count + 2 * BESIDE);
  return [view, see];
}
