/** What must be true of custody in a bundle: the run's own entry, and the events and timestamps that are attached. */
import { type Digest, isDigest } from '../../base/digest.ts';
import { isObject, parseJson } from '../../base/json.ts';
import { LIMITS } from '../../base/limits.ts';
import { checkEvents, type Receipt } from '../custody/event.ts';
import { Refused } from '../format/refused.ts';
import type { Problems } from '../read/contents.ts';
import type { Opened } from '../read/open.ts';

/** A JSON object from the bundle; undefined where it is not inside. Throws Refused for anything else. */
export function documentOf(
  opened: Opened,
  sha256: Digest | null | undefined,
  what: string,
): Record<string, unknown> | undefined {
  const bytes = sha256 ? opened.kept.get(sha256) : undefined;
  if (!bytes) return undefined;
  const parsed = parseJson(bytes, { sizeBytes: LIMITS.documentBytes, depth: LIMITS.documentDepth });
  if (!parsed.ok || !isObject(parsed.value))
    throw new Refused('manifest_form', `${what} ${sha256} is no JSON object`);
  return parsed.value;
}

/** The run's own entry; older bundles also hold those before it, each of which the next must name. */
export function checkCustody(opened: Opened, problems: Problems): void {
  const place = opened.record.evidence.custody;
  const entries = opened.document.items.filter(({ role }) => role === 'custody');
  if (!place && entries.length === 0) return;
  const first = (place?.sequence ?? 0) - entries.length + 1;
  let previous: Digest | null = null;
  const broken = entries.find(({ sha256 }, index) => {
    const entry = documentOf(opened, sha256, 'the custody entry');
    // The entry before the first is in the folder of the run; the first of the whole chain has none before it.
    const follows =
      index === 0 && first > 1 ? isDigest(String(entry?.previous)) : entry?.previous === previous;
    previous = sha256;
    return entry?.sequence !== first + index || !follows;
  });
  const last = documentOf(opened, place?.sha256, 'the custody entry');
  if (last && last.evidence_record_sha256 !== opened.record.evidence.record_sha256)
    problems.push({
      code: 'custody_broken',
      message: 'the run’s custody entry is about another evidence record',
    });
  if (broken)
    problems.push({ code: 'custody_broken', message: `${broken.name} does not follow the entry before it` });
  else if (previous !== place?.sha256 || first < 1)
    problems.push({
      code: 'custody_broken',
      message: `the chain ends with ${previous}, and the record names ${place?.sha256}`,
    });
}

/** Events and timestamps: each signature, each link, and that every timestamp is about something in the bundle. */
export function checkAttested({ attested, subject }: Opened, receipts: Receipt[], problems: Problems): void {
  if (subject && attested.events[0]?.action !== 'redacted')
    problems.push({
      code: 'custody_broken',
      message: 'this redaction is not signed: its first event is none',
    });
  for (const message of checkEvents(attested.events, receipts))
    problems.push({ code: 'custody_broken', message });
  for (const { sha256, of } of attested.stamps)
    if (of === null)
      problems.push({
        code: 'timestamp_invalid',
        message: `the timestamp ${sha256} is neither of the root nor of an event`,
      });
}
