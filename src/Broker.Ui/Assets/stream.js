// @ts-check
// One stream of hints for all tabs of this browser: HTTP/1.1 allows six connections to a host. A lock elects the tab that holds the stream, a
// channel shares what it hears. Hidden tabs let go. Hints say that something has changed, never what.
import { base, root, say, warn } from './dom.js';

const MOST_TOPICS = 32;
const LOST_AFTER = 15000;
const POLL = 10000;

/** @param {() => void} changed */
export function listen(changed) {
    const topics = [...new Set([...document.querySelectorAll('live-region:not([data-ended])')].flatMap(region => (region.getAttribute('data-topics') ?? '').split(',').filter(Boolean)))];
    if (topics.length === 0) return;
    const tab = Math.random().toString(36).slice(2);
    const channel = new BroadcastChannel(`broker${base}`);

    /** @type {Map<string, string[]>} */
    const wanted = new Map();
    let stream = /** @type {EventSource | null} */ (null);
    let asked = '';
    let release = /** @type {(() => void) | null} */ (null);
    let waiting = /** @type {AbortController | null} */ (null);
    let poll = 0;
    let lost = 0;

    /** @param {any} message */
    const send = message => { channel.postMessage(message); receive(message); };

    /** @param {any} message */
    function receive(message) {
        if (message.kind === 'change' && topics.includes(message.topic)) changed();
        else if (message.kind === 'open') opened(message.topics);
        else if (message.kind === 'lost') later();
        else if (message.kind === 'who' && !document.hidden) send({ kind: 'topics', tab, topics });
        else if (message.kind === 'topics' && release) { wanted.set(message.tab, message.topics); open(); }
        else if (message.kind === 'gone' && release) wanted.delete(message.tab);
    }

    /** @param {string[]} covered */
    function opened(covered) {
        clearTimeout(lost);
        lost = 0;
        clearInterval(poll);
        poll = topics.every(topic => covered.includes(topic)) ? 0 : setInterval(changed, POLL);
        root.dataset.live = 'open';
        say('');
        changed();
    }

    function later() {
        root.dataset.live = 'lost';
        if (!poll) poll = setInterval(changed, POLL);
        if (!lost) lost = setTimeout(() => { say('reconnecting'); warn('No stream from the broker: the page asks every ten seconds.'); }, LOST_AFTER);
    }

    function open() {
        const union = [...new Set([...wanted.values()].flat())].slice(0, MOST_TOPICS);
        const query = union.map(topic => topic.replaceAll(',', '%2C')).join(',');
        if (query === asked && stream && stream.readyState !== EventSource.CLOSED) return send({ kind: 'open', topics: union });
        if (stream && union.every(topic => asked.split(',').includes(topic))) return;
        stream?.close();
        asked = query;
        stream = new EventSource(`${base}/api/v1/changes?topics=${encodeURIComponent(query)}`);
        stream.addEventListener('hello', () => send({ kind: 'open', topics: union }));
        stream.addEventListener('change', event => send({ kind: 'change', topic: JSON.parse(event.data).topic }));
        stream.addEventListener('error', () => {
            send({ kind: 'lost' });

            // A refusal (too many streams, a proxy) closes it for good: ask again later.
            if (stream?.readyState === EventSource.CLOSED) setTimeout(() => { if (release) { asked = ''; open(); } }, POLL);
        });
    }

    function begin() {
        if (document.hidden || release || waiting) return;
        waiting = new AbortController();
        send({ kind: 'topics', tab, topics });
        navigator.locks.request(`broker${base}`, { signal: waiting.signal }, () => new Promise(done => {
            release = () => done(undefined);
            wanted.set(tab, topics);
            channel.postMessage({ kind: 'who' });
            open();
        })).catch(() => undefined);
    }

    function end() {
        channel.postMessage({ kind: 'gone', tab });
        waiting?.abort();
        waiting = null;
        stream?.close();
        stream = null;
        asked = '';
        release?.();
        release = null;
        clearInterval(poll);
        poll = 0;
    }

    channel.addEventListener('message', event => receive(event.data));
    document.addEventListener('visibilitychange', () => document.hidden ? end() : (begin(), changed()));
    addEventListener('pagehide', end);
    addEventListener('pageshow', event => { if (event.persisted) { begin(); changed(); } });
    if (navigator.locks) begin();
    else later();
}
