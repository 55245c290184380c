// @ts-check
// Forms that change something. Sent by script, they keep their text when the broker cannot be reached. Without script they act as well.
import { pageOf, warn } from './dom.js';
import { localTimes } from './region.js';

export function forms() {
    document.addEventListener('submit', event => {
        const form = event.target;
        if (!(form instanceof HTMLFormElement) || form.method !== 'post' || form.hasAttribute('data-plain')) return;
        event.preventDefault();
        void send(form, /** @type {SubmitEvent} */ (event).submitter);
    });
}

/**
 * @param {HTMLFormElement} form
 * @param {HTMLElement | null} button
 */
async function send(form, button) {
    if (form.hasAttribute('aria-busy')) return;
    form.setAttribute('aria-busy', 'true');
    const fields = /** @type {any} */ (new FormData(form, button));
    const target = button?.getAttribute('formaction') ?? form.getAttribute('action') ?? location.href;
    try {
        const answer = await fetch(target, { method: 'POST', body: new URLSearchParams(fields), cache: 'no-store' });
        if (answer.redirected) {
            const isSame = answer.url.split('#')[0] === location.href.split('#')[0];
            return isSame ? location.reload() : location.assign(answer.url);
        }

        if (answer.status >= 500) throw new Error(`the broker answered ${answer.status}`);
        show(pageOf(await answer.text()));
        warn('');
    } catch (fault) {
        warn(`Not sent, and nothing is lost: ${fault instanceof Error ? fault.message : fault}. Send it again.`);
    } finally {
        form.removeAttribute('aria-busy');
    }
}

/**
 * The answer in place of the page: the same as a browser would show.
 * @param {Document} page
 */
function show(page) {
    const [present, next] = [document.querySelector('main'), page.querySelector('main')];
    if (!present || !next) return;
    present.replaceWith(document.importNode(next, true));
    document.title = page.title;
    localTimes(document);
    const main = document.querySelector('main');
    const first = main?.querySelector('[role=alert], [role=status], h1');
    if (first instanceof HTMLElement) {
        first.tabIndex = -1;
        first.focus();
    }

    scrollTo(0, 0);
}
