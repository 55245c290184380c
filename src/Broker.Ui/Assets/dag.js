// @ts-check
// The graph of steps. A small one is drawn by the server, and gets keys here. A large one is drawn here: only what is in view has elements, and
// from afar it is a canvas.
import { make } from './dom.js';
import { merge } from './region.js';

const SVG = 'http://www.w3.org/2000/svg';
const CELL = 512;
const MARGIN = 200;
const MOST_ELEMENTS = 560;
const SMALLEST = 0.05;
const WORST = ['failed', 'leased', 'ready', 'waiting', 'cancelled', 'pending', 'not_run', 'unreachable', 'not_taken', 'skipped', 'succeeded'];

/**
 * @typedef {{ width: number, height: number, node_width: number, node_height: number, x: number[], y: number[], label: string[], edges: number[][], stacks: number[][] }} Graph
 * @typedef {{ at: number, x: number, y: number, label: string, steps: number[] }} Place
 */

/**
 * @param {string} name
 * @param {Record<string, string | number>} attributes
 */
function draw(name, attributes) {
    const element = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, String(value));
    return element;
}

class DagView extends HTMLElement {
    /** @type {Graph | null} */ graph = null;
    /** @type {string[]} */ states = [];
    /** @type {Place[]} */ places = [];
    /** @type {Map<number, Place>} */ byStep = new Map();
    /** @type {Map<number, number[]>} */ next = new Map();
    /** @type {Map<number, number[]>} */ before = new Map();
    /** @type {Map<string, { places: Place[], edges: number[][] }>} */ cells = new Map();
    /** @type {Map<string, Element>} */ drawn = new Map();
    scale = 1;
    current = -1;
    frame = 0;

    connectedCallback() {
        this.addEventListener('keydown', event => this.onKey(event));
        if (this.dataset.graph) void this.load();
        else this.readDrawing();
    }

    /** @param {Element} fresh */
    takeOver(fresh) {
        if (!this.graph) {
            if (!this.isEqualNode(fresh)) merge(this, fresh);
            if (!this.dataset.graph) this.readDrawing();
            return;
        }

        void this.loadStates();
    }

    // The edges of the server's drawing, for the keys.
    readDrawing() {
        this.next.clear();
        this.before.clear();
        for (const edge of this.querySelectorAll('.edge')) this.link(Number(edge.getAttribute('data-a')), Number(edge.getAttribute('data-b')));
        const nodes = [...this.querySelectorAll('a.node')];
        for (const node of nodes) node.setAttribute('tabindex', Number(node.getAttribute('data-i')) === this.current ? '0' : '-1');
        if (!nodes.some(node => node.getAttribute('tabindex') === '0')) (this.querySelector('a.node.chosen') ?? nodes[0])?.setAttribute('tabindex', '0');
    }

    /**
     * @param {number} a
     * @param {number} b
     */
    link(a, b) {
        this.next.set(a, [...this.next.get(a) ?? [], b]);
        this.before.set(b, [...this.before.get(b) ?? [], a]);
    }

    async load() {
        const [graph] = await Promise.all([fetch(this.dataset.graph ?? '').then(answer => answer.json()), this.loadStates()]);
        this.graph = graph;
        this.index();
        this.build();
        this.showFirst();
        this.paint();
        this.dataset.ownReady = String(Math.round(performance.now()));
    }

    async loadStates() {
        const address = this.dataset.states;
        if (!address) return;
        const answer = await fetch(address, { cache: 'no-store' });
        if (!answer.ok) return;
        const { words, states } = await answer.json();
        this.states = states.map((/** @type {number} */ place) => words[place]);
        for (const [key, element] of this.drawn) if (key[0] === 'n') this.colour(element, this.places[Number(key.slice(1))]);
        if (this.graph) this.paint();
    }

    index() {
        const graph = /** @type {Graph} */ (this.graph);
        const folded = new Set(graph.stacks.flat());
        const add = (/** @type {Place} */ place) => {
            place.at = this.places.push(place) - 1;
            for (const step of place.steps) this.byStep.set(step, place);
            this.cell(place.x, place.y).places.push(place);
        };
        for (const stack of graph.stacks) add({ at: 0, x: graph.x[stack[0]], y: graph.y[stack[0]], label: `${graph.label[stack[0]]} and ${stack.length - 1} more`, steps: stack });
        graph.label.forEach((label, step) => { if (!folded.has(step)) add({ at: 0, x: graph.x[step], y: graph.y[step], label, steps: [step] }); });
        for (const edge of graph.edges) {
            this.link(edge[0], edge[1]);
            const seen = new Set();
            for (let i = 2; i < edge.length; i += 2) {
                const cell = this.cell(edge[i], edge[i + 1]);
                if (!seen.has(cell)) cell.edges.push(edge);
                seen.add(cell);
            }
        }
    }

    /**
     * @param {number} x
     * @param {number} y
     */
    cell(x, y) {
        const key = `${Math.floor(x / CELL)},${Math.floor(y / CELL)}`;
        const cell = this.cells.get(key) ?? { places: [], edges: [] };
        this.cells.set(key, cell);
        return cell;
    }

    build() {
        const graph = /** @type {Graph} */ (this.graph);
        this.view = make('div', 'dag-scroll');
        this.svg = draw('svg', { viewBox: `0 0 ${graph.width} ${graph.height}` });
        this.canvas = /** @type {HTMLCanvasElement} */ (make('canvas'));
        this.view.append(this.svg);
        const frame = make('div', 'dag-frame');
        frame.append(this.canvas, this.view);
        const bar = make('div', 'dag-bar');
        const find = /** @type {HTMLInputElement} */ (make('input'));
        find.type = 'search';
        find.placeholder = 'find a step';
        find.setAttribute('aria-label', 'Find a step');
        find.addEventListener('keydown', event => { if (event.key === 'Enter') this.find(find.value); });
        bar.append(find);
        for (const [sign, words, by] of /** @type {[string, string, number][]} */ ([['+', 'Larger', 1.5], ['−', 'Smaller', 1 / 1.5], ['Fit', 'The whole graph', 0]])) {
            const button = make('button', 'quiet', sign);
            button.setAttribute('type', 'button');
            button.setAttribute('aria-label', words);
            button.addEventListener('click', () => this.zoom(by));
            bar.append(button);
        }

        bar.append(make('span', 'note', `${graph.label.length.toLocaleString('en-GB')} steps`));
        this.replaceChildren(bar, frame);
        this.view.addEventListener('scroll', () => this.paint(), { passive: true });
        new ResizeObserver(() => this.paint()).observe(this.view);
        this.zoom(1);
    }

    /** @param {number} by */
    zoom(by) {
        const graph = /** @type {Graph} */ (this.graph);
        const scroll = /** @type {HTMLElement} */ (this.view);
        const fit = Math.min(scroll.clientWidth / graph.width, scroll.clientHeight / graph.height, 1);
        const [x, y] = [(scroll.scrollLeft + scroll.clientWidth / 2) / this.scale, (scroll.scrollTop + scroll.clientHeight / 2) / this.scale];
        this.scale = by === 0 ? Math.max(SMALLEST, fit) : Math.min(2, Math.max(SMALLEST, this.scale * by));
        this.svg?.setAttribute('width', String(Math.ceil(graph.width * this.scale)));
        this.svg?.setAttribute('height', String(Math.ceil(graph.height * this.scale)));
        this.centre(x, y);
    }

    /**
     * @param {number} x
     * @param {number} y
     */
    centre(x, y) {
        const scroll = /** @type {HTMLElement} */ (this.view);
        scroll.scrollLeft = x * this.scale - scroll.clientWidth / 2;
        scroll.scrollTop = y * this.scale - scroll.clientHeight / 2;
        this.paint();
    }

    // The step that decides: one that failed, or runs.
    showFirst() {
        const graph = /** @type {Graph} */ (this.graph);
        const chosen = graph.label.indexOf(this.dataset.chosen ?? '');
        const first = chosen >= 0 ? chosen : Math.max(0, this.states.indexOf('failed'), this.states.indexOf('failed') < 0 ? this.states.indexOf('leased') : 0);
        this.current = this.byStep.get(first)?.at ?? 0;
        if (this.places.length <= 300) this.zoom(0);
        const place = this.places[this.current];
        this.centre(place.x, place.y);
    }

    /** @param {string} text */
    find(text) {
        const low = text.toLowerCase();
        const count = this.places.length;
        for (let i = 1; i <= count; i++) {
            const place = this.places[(this.current + i) % count];
            if (place.steps.some(step => /** @type {Graph} */ (this.graph).label[step].toLowerCase().includes(low))) return this.go(place.at);
        }
    }

    paint() {
        if (!this.frame) this.frame = requestAnimationFrame(() => { this.frame = 0; this.paintNow(); });
    }

    paintNow() {
        const graph = this.graph;
        const [scroll, svg, canvas] = [this.view, this.svg, this.canvas];
        if (!graph || !scroll || !svg || !canvas) return;
        const [left, top] = [scroll.scrollLeft / this.scale - MARGIN, scroll.scrollTop / this.scale - MARGIN];
        const [right, bottom] = [left + scroll.clientWidth / this.scale + 2 * MARGIN, top + scroll.clientHeight / this.scale + 2 * MARGIN];
        const [places, edges] = this.within(left, top, right, bottom);
        const isFar = places.length > MOST_ELEMENTS || this.scale < 0.35;
        canvas.hidden = !isFar;
        if (isFar) this.paintFar(places, canvas, scroll);
        const wanted = new Map();
        if (!isFar) {
            for (const edge of edges.slice(0, MOST_ELEMENTS - places.length)) wanted.set(`e${edge[0]},${edge[1]}`, edge);
            for (const place of places) wanted.set(`n${place.at}`, place);
        } else if (this.current >= 0) wanted.set(`n${this.current}`, this.places[this.current]);
        for (const [key, element] of this.drawn) {
            if (wanted.has(key)) continue;
            element.remove();
            this.drawn.delete(key);
        }

        for (const [key, item] of wanted) {
            if (this.drawn.has(key)) continue;
            const element = key[0] === 'e' ? this.drawEdge(item) : this.drawNode(item, graph);
            if (key[0] === 'e') svg.prepend(element);
            else svg.append(element);
            this.drawn.set(key, element);
        }
    }

    /**
     * @param {number} left
     * @param {number} top
     * @param {number} right
     * @param {number} bottom
     * @returns {[Place[], number[][]]}
     */
    within(left, top, right, bottom) {
        const places = [];
        const edges = new Set();
        for (let x = Math.floor((left - 300) / CELL); x <= right / CELL; x++) {
            for (let y = Math.floor(top / CELL); y <= bottom / CELL; y++) {
                const cell = this.cells.get(`${x},${y}`);
                if (!cell) continue;
                for (const place of cell.places) if (place.x + 300 > left && place.x < right && place.y + 40 > top && place.y < bottom) places.push(place);
                for (const edge of cell.edges) edges.add(edge);
            }
        }

        return [places, [...edges]];
    }

    /**
     * @param {Place[]} places
     * @param {HTMLCanvasElement} canvas
     * @param {HTMLElement} scroll
     */
    paintFar(places, canvas, scroll) {
        const graph = /** @type {Graph} */ (this.graph);
        if (canvas.width !== scroll.clientWidth || canvas.height !== scroll.clientHeight) [canvas.width, canvas.height] = [scroll.clientWidth, scroll.clientHeight];
        const pen = canvas.getContext('2d');
        if (!pen) return;
        this.colours ??= Object.fromEntries(WORST.map(word => [word, getComputedStyle(this).getPropertyValue(word === 'succeeded' ? '--good' : word === 'failed' ? '--bad' : word === 'leased' ? '--busy' : word === 'waiting' ? '--wait' : '--line')]));
        pen.clearRect(0, 0, canvas.width, canvas.height);
        const [width, height] = [Math.max(2, graph.node_width * this.scale), Math.max(2, graph.node_height * this.scale)];
        for (const place of places) {
            pen.fillStyle = this.colours[this.stateOf(place)] || 'gray';
            pen.fillRect(place.x * this.scale - scroll.scrollLeft, place.y * this.scale - scroll.scrollTop, width, height);
        }
    }

    /** @param {Place} place */
    stateOf(place) {
        if (this.states.length === 0) return 'pending';
        return place.steps.map(step => this.states[step] ?? 'pending').reduce((a, b) => WORST.indexOf(b) < WORST.indexOf(a) ? b : a);
    }

    /** @param {number[]} edge */
    drawEdge(edge) {
        const points = [];
        for (let i = 2; i < edge.length; i += 2) points.push(`${edge[i]},${edge[i + 1]}`);
        return draw('polyline', { class: 'edge', points: points.join(' ') });
    }

    /**
     * @param {Place} place
     * @param {Graph} graph
     */
    drawNode(place, graph) {
        const node = draw('a', { href: this.addressOf(place), 'data-i': place.at, tabindex: place.at === this.current ? 0 : -1 });
        const most = Math.max(3, Math.floor((graph.node_width - 32) / 7.2));
        const text = draw('text', { x: place.x + 26, y: place.y + graph.node_height / 2 + 4 });
        text.textContent = place.label.length <= most ? place.label : `${place.label.slice(0, most - 1)}…`;
        node.append(
            draw('rect', { x: place.x, y: place.y, width: graph.node_width, height: graph.node_height, rx: 6 }),
            draw('circle', { cx: place.x + 14, cy: place.y + graph.node_height / 2, r: 5 }), text);
        this.colour(node, place);
        return node;
    }

    /** @param {Place} place */
    addressOf(place) {
        const graph = /** @type {Graph} */ (this.graph);
        const worst = place.steps.find(step => (this.states[step] ?? 'pending') === this.stateOf(place)) ?? place.steps[0];
        return place.steps.length > 1
            ? `${this.dataset.stackHref ?? ''}${encodeURIComponent(graph.label[place.steps[0]])}`
            : `${this.dataset.href ?? ''}${encodeURIComponent(graph.label[worst])}`;
    }

    /**
     * @param {Element} node
     * @param {Place} place
     */
    colour(node, place) {
        const state = this.stateOf(place);
        const isChosen = place.steps.some(step => this.graph?.label[step] === this.dataset.chosen);
        node.setAttribute('class', `node s-${state}${isChosen ? ' chosen' : ''}`);
        const counts = place.steps.length === 1 ? state.replace('_', ' ') : WORST.map(word => [word, place.steps.filter(step => this.states[step] === word).length]).filter(([, count]) => count).map(([word, count]) => `${count} ${word}`).join(', ');
        node.setAttribute('aria-label', `${place.label}${this.states.length > 0 ? `: ${counts}` : ''}`);
    }

    /** @param {KeyboardEvent} event */
    onKey(event) {
        const node = event.target instanceof Element ? event.target.closest('a.node') : null;
        if (!node || event.ctrlKey || event.metaKey || event.altKey) return;
        const from = Number(node.getAttribute('data-i'));
        const to = this.neighbour(from, event.key);
        if (to === undefined) return;
        event.preventDefault();
        event.stopPropagation();
        this.go(to);
    }

    /**
     * @param {number} from
     * @param {string} key
     * @returns {number | undefined}
     */
    neighbour(from, key) {
        const step = this.graph ? this.places[from].steps[0] : from;
        const of = (/** @type {number | undefined} */ found) => found === undefined ? undefined : this.graph ? this.byStep.get(found)?.at : found;
        if (key === 'ArrowRight') return of(this.next.get(step)?.[0]);
        if (key === 'ArrowLeft') return of(this.before.get(step)?.[0]);
        if (key !== 'ArrowDown' && key !== 'ArrowUp') return undefined;
        const beside = this.graph
            ? this.places.filter(place => place.x === this.places[from].x).sort((a, b) => a.y - b.y).map(place => place.at)
            : this.column(from);
        return beside[beside.indexOf(from) + (key === 'ArrowDown' ? 1 : -1)];
    }

    /** @param {number} from */
    column(from) {
        const nodes = [...this.querySelectorAll('a.node')].map(node => ({ at: Number(node.getAttribute('data-i')), x: node.querySelector('rect')?.getAttribute('x'), y: Number(node.querySelector('rect')?.getAttribute('y')) }));
        const own = nodes.find(node => node.at === from);
        return nodes.filter(node => node.x === own?.x).sort((a, b) => a.y - b.y).map(node => node.at);
    }

    /** @param {number} at */
    go(at) {
        this.querySelector('a.node[tabindex="0"]')?.setAttribute('tabindex', '-1');
        this.current = at;
        if (this.graph) {
            const [place, scroll] = [this.places[at], /** @type {HTMLElement} */ (this.view)];
            const isInView = place.x * this.scale > scroll.scrollLeft && (place.x + 200) * this.scale < scroll.scrollLeft + scroll.clientWidth
                && place.y * this.scale > scroll.scrollTop && (place.y + 40) * this.scale < scroll.scrollTop + scroll.clientHeight;
            if (!isInView) this.centre(place.x, place.y);
            this.paintNow();
        }

        const node = this.querySelector(`a.node[data-i="${at}"]`);
        node?.setAttribute('tabindex', '0');
        /** @type {any} */ (node)?.focus({ preventScroll: Boolean(this.graph) });
    }
}

customElements.define('dag-view', DagView);
