/** What --help prints about bundles: one text a command. */

export const BUNDLE_HELP: Record<string, string> = {
  bundle: `usage: reenact bundle COMMAND [OPTIONS]

A bundle is one file with a replay record and everything it rests on, for
somebody who must check it without you: an OCI layout that is also a BagIt bag.
Its identity is the digest of its root manifest.

commands:
  create   pack a record
  verify   read a bundle once and say what is wrong with it, offline
  replay   replay what is inside, and compare the states
  redact   make a bundle in which chosen contents are only committed to
  inspect  say at a glance what it is
  ls       list what is inside
  extract  unpack what is inside under names that people can read
  diff     say in what two bundles differ
  push     put a bundle into a registry
  pull     get a bundle from a registry, by its identity
  custody  sign who had it in hand, show the events, attach a timestamp

reenact bundle COMMAND --help explains one of them. Exit status 2: refused.

example:
  reenact bundle create .reenact/runs/ID --out case.tar
  reenact bundle verify case.tar
`,
  'bundle create': `usage: reenact bundle create RECORD|DIR --out FILE [OPTIONS]
       reenact bundle create --trace TRACE --out FILE [OPTIONS]

Packs a record with everything it rests on. The same record gives the same
bytes, on another machine and on another day.

With --trace: the record of the latest reproduction of a stored trace, and the
trace with its joined frames, symbol files, and all evidence about them and
about the shipped files. Reproduce it first: reenact reproduce TRACE.

  --out FILE        the bundle to write; never over a file that is there
  --state HOW       contents of final states: full (default), changed (only of
                    states that differ from the reference) or none
  --trace TRACE     a trace of the store, by its id or the beginning of it
  --policy P        by which its frames are judged (default: that of the record)
  --store DIR       the folder the run wrote to (default: found from RECORD), or
                    the store of traces (default: .reenact)
  --with-image      the sandbox image too, as its registry has it
  --repository R    where to look for the image (repeatable)
  --sign KEY        sign it as exported: the first event of its custody, with an
                    Ed25519 key (REENACT_KEY_PASSPHRASE opens an encrypted one)
  --actor NAME      who exports it, for people
  --reason TEXT     why
  --timestamp FILE  an RFC 3161 reply about the root manifest
`,
  'bundle verify': `usage: reenact bundle verify FILE [OPTIONS]

Needs nothing but the file: reads it once, decides again, verifies the evidence
again as of the time of the run, and says what is wrong.

  --policy P       hold it against a policy of yours as well: its evidence, who
                   signed the records, and the gates (exit status 1 where one
                   fails)
  --trust-root R   your own trusted root instead of the one inside
  --receipt N:SHA  a custody event you were shown: it must be in the chain
                   (repeatable)
  --certificate DIR
                   of a bundle that is accepted: a new folder with a draft
                   certification for a US court and a CASE/UCO provenance view
  --json           print the result as JSON
`,
  'bundle replay': `usage: reenact bundle replay FILE [OPTIONS]

Needs an engine and the file: replays what is inside, in the image that is
inside, and compares the states. Exit status 0 if they are the same.

  --replays N     replays (default: as many as recorded)
  --jobs N        replays at once (default: 4)
  --trust-harness DIGEST
                  run a harness that is not this release's (repeatable)
  --without MECHANISM
                  behave as on a host that lacks it (repeatable); see
                  reenact run --help
  --allow-degraded
                  accepted, and does nothing
  --json          print the result as JSON
`,
  'bundle ls': `usage: reenact bundle ls FILE [--json]

Lists what is inside: role, size, digest, name. Exit status 2 where form or
digests are not those of a bundle; bundle verify checks what it claims.
`,
  'bundle inspect': `usage: reenact bundle inspect FILE [--json]

Says at a glance what a bundle is: identity, record, contents by role, events,
what was withheld. Checks form and digests only.
`,
  'bundle extract': `usage: reenact bundle extract FILE --to DIR [OPTIONS]

Unpacks what is inside as DIR/ROLE/NAME, and the final state that counts as
DIR/files, stdout and stderr. Nothing in DIR is a link or can be executed: links
are lines of links.txt. A name that would not be safe is changed, and told in
names.txt. Form and digests are checked, not the verdict.

  --to DIR        the folder to unpack into, which must not be there yet
  --only PATTERN  only what fits (repeatable): input/*.c, files/work, **/x.log;
                  * within a name, ** across folders
  --force         replace DIR, with all that is in it, once all is unpacked

example:
  reenact bundle extract case.tar --to case --only files --only stdout
`,
  'bundle diff': `usage: reenact bundle diff A B [--json]

Says in what two bundles differ: what their records say, what is inside, and
the final states that count. Times, durations and places are not compared. Exit
status 0 if they say the same, 1 if not, 2 if one is refused.

  --json  print the differences as a list of where, a and b
`,
  'bundle redact': `usage: reenact bundle redact FILE --drop PATTERN... --reason TEXT
         --key K --secret FILE --out FILE [--actor NAME]

Writes a new bundle without the contents that fit a pattern. In its records
their digests become commitments, an HMAC under the case secret: whoever has the
content and the secret can show that it was this one, and nobody can guess it.
Evidence that would give a dropped digest away is taken out as well. The new
bundle names the one it was made of, which stays as it is.

  --drop PATTERN  what to take out (repeatable): input/PATH, stdout, stderr, or
                  files/PATH, which the program wrote; * within a name, **
                  across folders. The same bytes under another name go too.
                  trace-source is the file a trace was read from, such as a
                  core; trace is all that belongs to the trace.
  --reason TEXT   why, signed
  --key K         an Ed25519 private key: the redaction is signed
  --actor NAME    who redacts, for people
  --secret FILE   the case secret, 64 hex digits; made when there is no such
                  file. Keep it: without it nothing can be shown later.
  --out FILE      the bundle to write; never over a file that is there

example:
  reenact bundle redact case.tar --drop 'files/home/**' --reason privacy \\
    --key lab.pem --secret case.secret --out redacted.tar
`,
  'bundle push': `usage: reenact bundle push FILE HOST/REPOSITORY[:TAG]

Verifies a bundle and puts it into a registry as an OCI artifact, with what is
attached to it. What is there already is not sent again: a push that was cut
off goes on where it was. The same bundle is then known there as
HOST/REPOSITORY@ its identity.

REENACT_REGISTRY_USER and REENACT_REGISTRY_PASSWORD are used where the registry
asks for them.

example:
  reenact bundle push case.tar registry.example.org/cases/4711
`,
  'bundle pull': `usage: reenact bundle pull HOST/REPOSITORY@sha256:... --out FILE
       reenact bundle pull HOST/REPOSITORY:TAG --out FILE

Gets a bundle from a registry, byte for byte as it was pushed, with everything
that was attached to it since, and verifies it. FILE is there only when all of
it is. Until then parts lie in a folder beside it, .FILE.part, from which the
same command goes on.

A tag is no identity: whoever may push can move it.

  --out FILE  the bundle to write; never over a file that is there
`,
  'bundle custody': `usage: reenact bundle custody add FILE --key K --action A [OPTIONS]
       reenact bundle custody stamp FILE --timestamp REPLY [--out FILE]
       reenact bundle custody log FILE [--receipt N:SHA] [--json]

add signs an event about the bundle: who had it in hand, and what was done. Each
event names the one before. The bundle's identity stays. Keep the receipt that
is printed: with it, a chain that was cut off behind your event shows.

stamp attaches the reply of a timestamp authority, about the root manifest or
about an event's envelope:
  openssl ts -query -data blobs/sha256/ROOT -sha256 -cert -out q.tsq

  --key K           an Ed25519 private key
  --action A        exported, received, reviewed or redacted
  --actor NAME      who, for people
  --reason TEXT     why
  --timestamp FILE  an RFC 3161 reply with the authority's certificates
  --receipt N:SHA   an event you were shown: it must be in the chain
                    (repeatable)
  --out FILE        write another file instead of this one
  --json            print the events as JSON
`,
};
