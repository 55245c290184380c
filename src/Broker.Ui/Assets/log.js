// @ts-check
// The log of a run. It keeps a window of lines, and rows only for those in view. Scrolling up reads earlier lines, following reads later ones.
import { make } from './dom.js';

// Also the smallest size of a target: each line has a link.
const ROW = 24;
const PAGE = 1000;
const MOST = 20000;
const MOST_WRAPPED = 1000;
const QUICK = 300;
const SLOW = 1500;
const MOST_FIND_PAGES = 50;

/** @typedef {{ id: number, step: string, stream: string, level: string, at: string, text: string }} Line */

/**
 * The colours of a terminal: sixteen, bold and underline. Other sequences go; after a carriage return the rest of the line counts.
 * @param {string} text
 */
export function coloured(text) {
    const plain = text.replace(/\r+$/, '');
    const line = plain.slice(plain.lastIndexOf('\r') + 1);
    const parts = document.createDocumentFragment();
    let colour = 0;
    let bold = false;
    let underlined = false;
    for (const [, codes, last, words] of line.matchAll(/\x1b(?:\[([\d;]*)([@-~])?|.|$)|([^\x1b]+)/gs)) {
        if (words !== undefined) {
            const names = [colour ? `ansi-${colour}` : '', bold ? 'bold' : '', underlined ? 'underlined' : ''].filter(Boolean).join(' ');
            parts.append(make('span', names, words.replace(/[\x00-\x08\x0b-\x1f\x7f]/g, '')));
        } else if (last === 'm') {
            for (const code of codes.split(';').map(Number)) {
                if (code === 0) [colour, bold, underlined] = [0, false, false];
                else if (code === 1 || code === 22) bold = code === 1;
                else if (code === 4 || code === 24) underlined = code === 4;
                else if (code === 39) colour = 0;
                else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) colour = code;
            }
        }
    }

    return parts;
}

class LogView extends HTMLElement {
    /** @type {Line[]} */ lines = [];
    /** @type {Map<number, HTMLElement>} */ rows = new Map();
    /** @type {number[]} */ hits = [];
    hit = -1;
    isWrapped = false;
    isFollowing = false;
    isBusy = false;
    hasEarlier = true;
    hasLater = false;
    frame = 0;
    timer = 0;

    connectedCallback() {
        if (!this.dataset.lines || this.view) return;
        this.build();
        const line = Number(/^#L(\d+)$/.exec(location.hash)?.[1]);
        void (line ? this.show(line) : this.end(this.dataset.live === 'true'));
        addEventListener('hashchange', () => { const asked = Number(/^#L(\d+)$/.exec(location.hash)?.[1]); if (asked) void this.show(asked); });
        document.addEventListener('visibilitychange', () => this.later(0));
    }

    disconnectedCallback() {
        clearTimeout(this.timer);
    }

    /** @param {Element} fresh */
    takeOver(fresh) {
        this.dataset.live = fresh.getAttribute('data-live') ?? '';
    }

    build() {
        this.removeAttribute('tabindex');
        this.classList.add('own');
        const bar = make('div', 'log-bar');
        const find = /** @type {HTMLInputElement} */ (make('input'));
        find.type = 'search';
        find.placeholder = 'find in the whole log';
        find.setAttribute('aria-label', 'Find in the whole log');
        find.value = this.dataset.text ?? '';
        find.addEventListener('keydown', event => {
            if (event.key !== 'Enter') return;
            event.preventDefault();
            void (find.value === this.sought && this.hits.length > 0 ? this.turn(event.shiftKey ? -1 : 1) : this.find(find.value));
        });
        this.count = make('span', 'note');
        this.count.setAttribute('role', 'status');
        const button = (/** @type {string} */ words, /** @type {string} */ mark, /** @type {() => void} */ act) => {
            const made = make('button', 'quiet', words);
            made.setAttribute('type', 'button');
            made.setAttribute(mark, '');
            made.addEventListener('click', act);
            bar.append(made);
            return made;
        };
        bar.append(find, this.count);
        button('Previous', 'data-last-hit', () => void this.turn(-1));
        button('Next', 'data-next-hit', () => void this.turn(1));
        this.wrap = button('Wrap', 'data-wrap', () => this.wrapLines());
        button('Begin', 'data-begin', () => void this.begin());
        this.follow = button('Follow', 'data-follow', () => void (this.isFollowing ? this.stop() : this.end(true)));
        this.view = make('div', 'log-scroll');
        this.view.tabIndex = 0;
        this.view.setAttribute('role', 'log');
        this.view.setAttribute('aria-live', 'off');
        this.view.setAttribute('aria-label', 'Lines');
        this.space = make('div', 'log-space');
        this.view.append(this.space);
        this.view.addEventListener('scroll', () => this.onScroll(), { passive: true });
        new ResizeObserver(() => this.paint()).observe(this.view);
        this.replaceChildren(bar, this.view);
    }

    /**
     * @param {string} choice
     * @param {string} [address]
     * @returns {Promise<{ items: Line[], next: number | null, complete: boolean }>}
     */
    async read(choice, address = this.dataset.lines ?? '') {
        const answer = await fetch(`${address}&${choice}`, { cache: 'no-store' });
        if (!answer.ok) throw new Error(`the broker answered ${answer.status}`);
        return answer.json();
    }

    /**
     * One read at a time; what comes meanwhile is left out.
     * @param {() => Promise<void>} act
     */
    async once(act) {
        if (this.isBusy) return;
        this.isBusy = true;
        try {
            await act();
        } catch (fault) {
            if (this.count) this.count.textContent = fault instanceof Error ? fault.message : String(fault);
        } finally {
            this.isBusy = false;
        }
    }

    /** @param {boolean} isFollowing */
    async end(isFollowing) {
        await this.once(async () => {
            const page = await this.read(`tail=true&limit=${PAGE}`);
            this.take(page.items, page.next !== null, false);
            this.setFollowing(isFollowing);
            this.toEnd();
        });
        this.dataset.ownReady = 'true';
        this.later(QUICK);
    }

    begin() {
        return this.once(async () => {
            const page = await this.read(`after=0&limit=${PAGE}`);
            this.take(page.items, false, page.next !== null);
            this.setFollowing(false);
            if (this.view) this.view.scrollTop = 0;
            this.paint();
        });
    }

    /**
     * Shows a line, wherever it is.
     * @param {number} id
     */
    async show(id) {
        this.setFollowing(false);
        if (!this.lines.some(line => line.id === id)) {
            await this.once(async () => {
                const [before, after] = await Promise.all([this.read(`before=${id + 1}&tail=true&limit=${PAGE / 2}`), this.read(`after=${id}&limit=${PAGE / 2}`)]);
                this.take([...before.items, ...after.items], before.next !== null, after.next !== null);
            });
        }

        this.chosen = id;
        const place = this.lines.findIndex(line => line.id === id);
        if (place >= 0 && this.view) {
            if (this.isWrapped) this.wrapRows();
            else this.view.scrollTop = Math.max(0, place * ROW - this.view.clientHeight / 2);
        }

        this.dataset.ownReady = 'true';
        this.paint();
        if (this.isWrapped) this.space?.querySelector('.found')?.scrollIntoView({ block: 'center' });
    }

    stop() {
        this.setFollowing(false);
    }

    /** @param {boolean} isFollowing */
    setFollowing(isFollowing) {
        this.isFollowing = isFollowing;
        this.follow?.setAttribute('aria-pressed', String(isFollowing));
        if (this.follow) this.follow.textContent = isFollowing ? 'Following' : 'Follow';
    }

    /**
     * @param {Line[]} lines
     * @param {boolean} hasEarlier
     * @param {boolean} hasLater
     */
    take(lines, hasEarlier, hasLater) {
        [this.lines, this.hasEarlier, this.hasLater] = [lines, hasEarlier, hasLater];
        for (const row of this.rows.values()) row.remove();
        this.rows.clear();
        this.measure();
    }

    measure() {
        if (!this.space) return;
        if (this.isWrapped) this.wrapRows();
        else this.space.style.height = `${this.lines.length * ROW}px`;
    }

    toEnd() {
        if (this.view) this.view.scrollTop = this.view.scrollHeight;
        this.paint();
    }

    onScroll() {
        const scroll = this.view;
        if (!scroll) return;
        const fromEnd = scroll.scrollHeight - scroll.scrollTop - scroll.clientHeight;
        if (this.isFollowing && fromEnd > 4 * ROW && !this.isBusy) this.setFollowing(false);
        if (scroll.scrollTop < 20 * ROW && this.hasEarlier && this.lines.length > 0) void this.earlier();
        else if (fromEnd < 20 * ROW && this.hasLater) void this.further();
        this.paint();
    }

    earlier() {
        return this.once(async () => {
            const page = await this.read(`before=${this.lines[0].id}&tail=true&limit=${PAGE}`);
            this.hasEarlier = page.next !== null;
            this.lines = [...page.items, ...this.lines];
            if (this.lines.length > MOST) {
                this.lines.length = MOST;
                this.hasLater = true;
            }

            const scroll = /** @type {HTMLElement} */ (this.view);
            const at = scroll.scrollTop;
            this.measure();
            if (!this.isWrapped) scroll.scrollTop = at + page.items.length * ROW;
            this.repaint();
        });
    }

    further() {
        return this.once(async () => {
            const page = await this.read(`after=${this.lines.at(-1)?.id ?? 0}&limit=${PAGE}`);
            this.hasLater = page.next !== null;
            this.append(page.items);
        });
    }

    /** @param {Line[]} lines */
    append(lines) {
        if (lines.length === 0) return;
        this.lines.push(...lines);
        const excess = this.lines.length - MOST;
        if (excess > 0) {
            this.lines.splice(0, excess);
            this.hasEarlier = true;
        }

        this.measure();
        if (excess > 0) this.repaint();
        else this.paint();
    }

    /** @param {number} time */
    later(time) {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => void this.poll(), time);
    }

    async poll() {
        if (document.hidden || !this.isConnected) return;
        let got = 0;
        if (this.isFollowing) {
            await this.once(async () => {
                const page = await this.read(`after=${this.lines.at(-1)?.id ?? 0}&limit=${PAGE}`);
                got = page.items.length;
                this.append(page.items);
                if (this.isFollowing && got > 0) this.toEnd();
            });
        }

        this.later(got === PAGE ? 0 : got > 0 ? QUICK : this.dataset.live === 'true' ? QUICK * 2 : SLOW);
    }

    /** @param {string} text */
    async find(text) {
        this.sought = text;
        [this.hits, this.hit] = [[], -1];
        if (!text || !this.count) return;
        this.count.textContent = 'searching';
        let after = 0;
        let isWhole = false;
        for (let i = 0; i < MOST_FIND_PAGES && !isWhole; i++) {
            const page = await this.read(`q=${encodeURIComponent(text)}&after=${after}&limit=${PAGE}`, this.dataset.find);
            this.hits.push(...page.items.map(line => line.id));
            if (this.hit < 0 && this.hits.length > 0) await this.turn(1);
            if (this.sought !== text) return;
            isWhole = page.next === null;
            after = page.next ?? 0;
            this.say(isWhole);
        }
    }

    /** @param {boolean} [isWhole] */
    say(isWhole = true) {
        if (this.count) this.count.textContent = this.hits.length === 0 ? isWhole ? 'no line' : 'searching' : `${this.hit + 1} of ${this.hits.length.toLocaleString('en-GB')}${isWhole ? '' : '+'}`;
    }

    /** @param {number} by */
    async turn(by) {
        if (this.hits.length === 0) return;
        this.hit = (this.hit + by + this.hits.length) % this.hits.length;
        this.say();
        await this.show(this.hits[this.hit]);
    }

    wrapLines() {
        this.isWrapped = !this.isWrapped;
        this.classList.toggle('wrapped', this.isWrapped);
        this.wrap?.setAttribute('aria-pressed', String(this.isWrapped));
        for (const row of this.rows.values()) row.remove();
        this.rows.clear();
        this.measure();
        if (this.isFollowing) this.toEnd();
        else this.paint();
    }

    // Wrapped lines have heights of their own: all of a smaller window are there.
    wrapRows() {
        const space = /** @type {HTMLElement} */ (this.space);
        const chosen = this.chosen ? this.lines.findIndex(line => line.id === this.chosen) : -1;
        const from = chosen >= 0 ? Math.max(0, chosen - MOST_WRAPPED / 2) : Math.max(0, this.lines.length - MOST_WRAPPED);
        space.style.height = 'auto';
        space.replaceChildren(...this.lines.slice(from, from + MOST_WRAPPED).map(line => this.row(line)));
    }

    repaint() {
        for (const row of this.rows.values()) row.remove();
        this.rows.clear();
        this.paint();
    }

    paint() {
        if (!this.frame && !this.isWrapped) this.frame = requestAnimationFrame(() => { this.frame = 0; this.paintNow(); });
    }

    paintNow() {
        const [scroll, space] = [this.view, this.space];
        if (!scroll || !space || this.isWrapped) return;
        const first = Math.max(0, Math.floor(scroll.scrollTop / ROW) - 10);
        const last = Math.min(this.lines.length, Math.ceil((scroll.scrollTop + scroll.clientHeight) / ROW) + 10);
        for (const [place, row] of this.rows) {
            if (place >= first && place < last) continue;
            row.remove();
            this.rows.delete(place);
        }

        for (let place = first; place < last; place++) {
            const known = this.rows.get(place);
            if (known) {
                known.classList.toggle('found', this.lines[place].id === this.chosen);
                continue;
            }

            const row = this.row(this.lines[place]);
            row.style.transform = `translateY(${place * ROW}px)`;
            this.rows.set(place, row);
            space.append(row);
        }
    }

    /** @param {Line} line */
    row(line) {
        const row = make('div', `line ${line.stream}${line.id === this.chosen ? ' found' : ''}`);
        row.id = `L${line.id}`;
        const link = make('a', '', new Date(line.at).toLocaleTimeString('en-GB'));
        link.setAttribute('href', `#L${line.id}`);
        link.setAttribute('title', line.at);
        link.setAttribute('aria-label', `Link to the line of ${line.at}`);
        const text = make('span', 'text');
        text.append(coloured(line.text));
        row.append(link, make('span', 'step', line.step), text);
        return row;
    }
}

customElements.define('log-view', LogView);
