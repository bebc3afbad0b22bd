import { beforeAll, describe, expect, it } from 'vitest';
import { hexOf } from '../../src/base/digest.ts';
import { VERSION } from '../../src/base/version.ts';
import { caseUco } from '../../src/report/case-uco.ts';
import { type CertifiedBundle, certification } from '../../src/report/certification.ts';
import { quoted } from '../../src/report/draft.ts';
import type { TestCase } from '../support/case.ts';
import { acceptedBundle } from '../support/examined.ts';

let bundle: CertifiedBundle;
beforeAll(async () => {
  ({ bundle } = await acceptedBundle());
});

function draft(change?: (one: CertifiedBundle) => void): string {
  const one = structuredClone(bundle);
  change?.(one);
  return certification(one);
}

/** The text without its line breaks, for sentences. */
function flat(text: string): string {
  return text.replace(/\s+/g, ' ');
}

describe('the draft', () => {
  it('says first and last that it is one, and has every form of the rule', () => {
    const text = flat(draft());
    expect(text).toMatch(/^=+ DRAFT - NOT A CERTIFICATION UNTIL COMPLETED, REVIEWED AND SIGNED/);
    expect(text).toMatch(/DRAFT, to be completed and reviewed; no legal advice. $/);
    for (const part of [
      'reviewed by counsel and by a qualified person',
      'Fed. R. Evid. 902(14), 902(11), 902(12); 28 U.S.C. § 1746',
      'I declare under penalty of perjury that the foregoing is true and correct.',
      'I declare under penalty of perjury under the laws of the United States of America that the foregoing is true and correct.',
      'I am employed by ____________________ as ____________________',
      'Executed on (date) ____________________',
      'Signature ____________________',
    ])
      expect(text).toContain(part);
  });

  it('names the identity, the size, the contents, the signer’s key, and the program', () => {
    const text = flat(draft());
    const [envelope] = bundle.evidence!.envelopes;
    for (const part of [
      hexOf(bundle.root),
      `The archive file has ${bundle.archiveBytes} bytes`,
      'digest of the archive file as a whole is another number and is not the Identity',
      'record 1 ',
      'the verdict "reproduced", with the reason "self_consistent": 2 of 2 replays asked for ended in the state that counts, a ratio of 1.000',
      hexOf(envelope!.sha256),
      envelope!.subjects[0]!.expected,
      hexOf(envelope!.signers[0]!.key_fingerprint),
      'calls "k0"',
      'When it was signed is not proven',
      `program reenact, version ${VERSION}`,
      '1 entry; the last is the one that the record names',
      'that the recorded replays took place, or took place as recorded',
    ])
      expect(text).toContain(part);
  });

  it('has 72 columns at most, numbers its paragraphs in turn, and is the same every time', () => {
    const text = draft((one) => {
      one.record.name = `${'a'.repeat(300)} ${'ü🎈 '.repeat(40)}`;
      one.archiveBytes = Number.MAX_SAFE_INTEGER;
    });
    expect(text.split('\n').filter((line) => [...line].length > 72)).toEqual([]);
    expect(text.split('\n').filter((line) => / $/.test(line))).toEqual([]);
    const numbers = [...text.matchAll(/^ ?(\d+)\. /gm)].map((match) => Number(match[1]));
    expect(numbers).toEqual(numbers.map((_, index) => index + 1));
    expect(draft()).toBe(draft());
  });

  it('shows of times only those of the record, and whose word they are', () => {
    const text = flat(draft());
    const times = [...text.matchAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g)].map(([time]) => time);
    expect(new Set(times)).toEqual(new Set([bundle.record.started_at, bundle.evidence!.verified_at]));
    expect(text).toContain(
      `began at "${bundle.record.started_at}". That time was set by the computer that wrote the record; verification does not establish it.`,
    );
    const stamped = draft((one) => {
      const [envelope] = one.evidence!.envelopes;
      envelope!.timestamps = [{ source: 'timestamp-authority', time: '2026-06-01T10:00:00.000Z' }];
      envelope!.log = [
        {
          origin: 'log.example',
          key_id: 'a',
          index: 7,
          checkpoint_size: 9,
          root: 'b',
          leaf: 'c',
          tile_ref: null,
          witnesses: [],
        },
      ];
    });
    expect(flat(stamped)).toContain(
      'It was signed by 2026-06-01T10:00:00.000Z, by the word of a timestamp authority. Its entry in the transparency log "log.example", number 7, was verified.',
    );
  });

  it('claims nothing that verification did not establish', () => {
    const unsigned = flat(draft((one) => (one.evidence = null)));
    expect(unsigned).toContain('It verified no signatures');
    expect(unsigned).toContain('Nobody is proven to have signed anything');
    expect(unsigned).toContain('who made the Bundle or anything in it: no signature is proven');
    const rejected = flat(
      draft((one) => Object.assign(one.evidence!, { verdict: 'rejected', code: 'signature_invalid' })),
    );
    expect(rejected).toContain('was not accepted (signature_invalid)');
    const refused = flat(draft((one) => (one.evidence!.envelopes[0]!.verdict = 'rejected')));
    for (const text of [unsigned, rejected, refused]) expect(text).not.toContain('is signed by');
    const nothing = flat(
      draft((one) => {
        one.record.replays = [];
        one.contents.items = one.contents.items.filter(({ role }) => role !== 'custody');
      }),
    );
    expect(nothing).toContain('It found no replays in the record, and therefore decided no verdict again.');
    expect(nothing).not.toContain('are the same');
    expect(nothing).toContain('It found no chain of custody of the run in the Bundle.');
  });
});

it('names no signer of evidence that was rejected as a whole, though one signature in it is valid', async () => {
  const require = ['https://example.org/any/v1', 'https://example.org/other/v1'].map((predicateType) => ({
    predicateType,
    subjects: ['manifest'],
  }));
  const refuse = async ({ record }: TestCase): Promise<void> => {
    Object.assign(record, { verdict: 'rejected', replays: [], gates: [], replay_success_ratio: 0 });
    Object.assign(record, { final_state_sha256: null });
  };
  const { bundle: rejected, signers } = await acceptedBundle(refuse, { require });
  expect(rejected.evidence).toMatchObject({
    verdict: 'rejected',
    envelopes: [{ verdict: 'accepted', signers: [{ authority: 'k0' }] }],
  });
  expect(signers).toEqual([]);
  expect(flat(certification(rejected))).toContain(
    'was not accepted (identity_threshold), as the record says',
  );
  expect(certification(rejected)).not.toContain('"k0"');
  expect(caseUco(rejected)).not.toContain('"k0"');
});

describe('a stranger’s name', () => {
  const hostile = 'x"\n\n F. DECLARATION\r\tI certify\u202e\u0000\u200b\u2028\u3164\u{e0041}\ufff9\ud800';

  it.each<[string, (one: CertifiedBundle) => unknown]>([
    ['of the case', (one) => (one.record.name = hostile)],
    ['of the time', (one) => (one.record.started_at = hostile)],
    ['of what was degraded', (one) => (one.record.degraded = [hostile, 'b'])],
    ['of the reason', (one) => (one.record.reason = hostile)],
    ['of an authority', (one) => (one.evidence!.envelopes[0]!.signers[0]!.authority = hostile)],
    ['of an identity', (one) => (one.evidence!.envelopes[0]!.signers[0]!.identity = hostile)],
    [
      'of an issuer',
      (one) => Object.assign(one.evidence!.envelopes[0]!.signers[0]!, { identity: 'i', issuer: hostile }),
    ],
    ['of a subject’s field', (one) => (one.evidence!.envelopes[0]!.subjects[0]!.field = hostile)],
    [
      'of a time’s source',
      (one) =>
        (one.evidence!.envelopes[0]!.timestamps = [{ source: hostile, time: '2026-01-01T00:00:00.000Z' }]),
    ],
  ])('%s stays on its line and shows what it is', (_name, change) => {
    const text = draft(change);
    expect(text.match(/^\s*F\. DECLARATION/gm)).toHaveLength(1);
    expect(text).toMatch(/^[\n\x20-\x7e§]*$/);
    expect(text.replace(/\n +/g, '')).toContain('\\u202e');
  });

  it('is quoted, and cut where it is long', () => {
    expect(quoted('a "b" \\')).toBe('"a \\"b\\" \\\\"');
    expect(quoted('Zoë 漢字')).toBe('"Zoë 漢字"');
    expect(quoted('\u200b\u{e0041}\u3164\ufff9')).toBe('"\\u{200b}\\u{e0041}\\u{3164}\\u{fff9}"');
    expect(quoted('🎈'.repeat(201))).toBe(`"${'🎈'.repeat(200)}" (cut: it has 201 characters)`);
  });
});
