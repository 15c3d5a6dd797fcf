// Gate `md-links`: relative links and images in Markdown files lead to files that exist, and to headings in them. The README has the
// configuration and the rules.

import { gate as plugin, readText, walk } from '../../../sdk/javascript/leasehold.js';
import { check } from './check.js';

export const gate = plugin((config) => check(config ?? {}, { walk, readText }));
