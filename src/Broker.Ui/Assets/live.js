// @ts-check
// Entry of the console's scripts. Pages work without them.
import { choices } from './choice.js';
import { forms } from './form.js';
import { keys } from './keys.js';
import { localTimes, pauses, refresh, soon } from './region.js';
import { listen } from './stream.js';
import { themes } from './theme.js';
import { views } from './views.js';
import './dag.js';
import './log.js';

themes();
localTimes(document);
pauses();
views();
choices();
forms();
keys(() => void refresh(true));
listen(soon);
