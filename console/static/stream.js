// One stream for all tabs of a browser: browsers open about six connections to a host
// over HTTP/1.1, and a stream holds one. The tab that holds a lock has the stream and tells
// the others over a channel; when it goes, the next one has it. Where a browser lacks
// either, each tab has a stream of its own.
//
// A tab says where it is ("hello" with the id of the last event that it has shown); the
// leading tab tells it what it kept from there on. What it does not have any more the tab
// asks the server for, in a short stream of its own.
(() => {
  "use strict";
  const kept = 200; // messages that the leading tab can tell again
  const patience = 3000; // ms: a leading tab that says nothing for so long is none
  const catchUp = 2000; // ms: of a short stream

  // Event ids are RUN-NUMBER; those of different runs do not compare.
  const [run, number] = [(id) => id.split("-")[0], (id) => Number(id.split("-")[1])];
  const older = (a, b) => run(a) === run(b) && number(a) < number(b);

  // open returns {start(), stop()}. hooks: last() is where the tab is; live(id, html),
  // state("on" | "off") and ended() are what happens.
  window.openStream = (url, key, hooks) => {
    const shared = "BroadcastChannel" in window && navigator.locks && key;
    const me = Math.random().toString(36).slice(2);
    let source = null; // the stream, of the leading tab or of a tab alone
    let short = null;
    let channel = null;
    let release = null; // gives the lock back
    let asking = null; // the request for the lock
    let waiting = 0;
    let begin = ""; // the leading tab's stream began behind it
    let buffer = [];

    const tell = (message) => channel && channel.postMessage({ ...message, from: me });

    const take = (id, html) => {
      if (!older(id, hooks.last())) hooks.live(id, html);
    };

    const listen = (onLive, onEnd, onState) => {
      const s = new EventSource(url + (url.includes("?") ? "&" : "?") + "since=" + encodeURIComponent(hooks.last()));
      s.onopen = () => onState("on");
      s.addEventListener("live", (e) => onLive(e.lastEventId || hooks.last(), e.data));
      s.addEventListener("ended", () => {
        s.close();
        onEnd();
      });
      s.onerror = () => {
        // CLOSED: the server refused, which it does to a session that is over.
        if (s.readyState === EventSource.CLOSED) onEnd();
        else onState("off");
      };
      return s;
    };

    const ended = () => {
      stop();
      hooks.ended();
    };

    const lead = () => {
      begin = hooks.last();
      buffer = [];
      source = listen((id, html) => {
        buffer.push({ id, html });
        if (buffer.length > kept) begin = buffer.shift().id;
        take(id, html);
        tell({ type: "live", id, html });
      }, ended, (state) => { // the next one to lead finds out by itself that it is over
        hooks.state(state);
        tell({ type: "state", state });
      });
      tell({ type: "lead", begin });
    };

    // What the leading tab does not have: the server does.
    const fetchMissed = () => {
      if (short) return;
      short = listen(take, ended, () => {});
      setTimeout(() => {
        if (short) short.close();
        short = null;
      }, catchUp);
    };

    const alone = () => {
      if (!source) source = listen(take, ended, hooks.state);
    };

    const hear = (m) => {
      if (m.to && m.to !== me) return;
      if (m.type !== "hello") clearTimeout(waiting);
      switch (m.type) {
      case "hello":
        if (!release || !source) return;
        if (older(m.id, begin) || run(m.id) !== run(begin)) {
          tell({ type: "far", to: m.from });
        } else {
          for (const b of buffer) if (older(m.id, b.id)) tell({ type: "live", to: m.from, ...b });
        }
        tell({ type: "state", to: m.from, state: source.readyState === EventSource.OPEN ? "on" : "off" });
        return;
      case "far":
      case "lead":
        if (m.to || older(hooks.last(), m.begin)) fetchMissed();
        return;
      case "live":
        if (source && !release) { // alone, and somebody leads by now
          source.close();
          source = null;
        }
        take(m.id, m.html);
        return;
      case "state":
        hooks.state(m.state);
      }
    };

    const start = () => {
      stop();
      if (!shared) return alone();
      channel = new BroadcastChannel("gatehouse " + key);
      channel.onmessage = (e) => hear(e.data);
      asking = new AbortController();
      navigator.locks.request("gatehouse " + key, { signal: asking.signal }, () => new Promise((done) => {
        clearTimeout(waiting);
        release = done;
        if (source) source.close();
        lead();
      })).catch(() => {}); // it was asked for no longer
      tell({ type: "hello", id: hooks.last() });
      waiting = setTimeout(alone, patience);
    };

    const stop = () => {
      clearTimeout(waiting);
      for (const s of [source, short]) if (s) s.close();
      source = short = null;
      if (asking) asking.abort();
      if (release) release();
      if (channel) channel.close();
      asking = release = channel = null;
    };

    // A page that is left must not take its broken stream for one that was refused.
    addEventListener("pagehide", stop);
    addEventListener("pageshow", (e) => e.persisted && !document.hidden && start());
    return { start, stop };
  };
})();
