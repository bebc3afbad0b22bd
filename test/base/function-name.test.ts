/** One function under the names that readers give it, and different functions under names that look alike. */
import { expect, it } from 'vitest';
import {
  type FunctionName,
  functionKey,
  functionName,
  mangledStem,
  sameFunction,
} from '../../src/base/function-name.ts';
import { demangled } from '../../src/symbolize/demangle.ts';

async function read(raw: string, more: Parameters<typeof functionName>[1] = {}): Promise<FunctionName> {
  const stem = mangledStem(raw);
  const names = await demangled(stem === null ? [] : [stem]);
  return functionName(raw, { ...more, demangled: names.get(stem ?? '') });
}

const GROUPS: Record<string, string[]> = {
  // gcc 12.2 -O2: llvm-symbolizer with and without .symtab, gdb, c++filt, LLVM's demangler.
  'a part that was split off': [
    'splits',
    'splits.cold',
    'splits[cold]',
    'splits.cold.3',
    'splits [clone .cold]',
  ],
  'a clone for certain arguments': [
    'cloned',
    'cloned.constprop.0',
    'cloned.isra.0.constprop.2',
    'cloned.part.0',
  ],
  'a function of a template': [
    '_ZNK3lib3boxIlE3addElRKS1_',
    '_ZNK3lib3boxIlE3addElRKS1_.part.0',
    'lib::box<long>::add(long, lib::box<long> const&) const',
    'lib::box<long>::add(long, lib::box<long> const&) const [clone .cold]',
    '?add@?$box@J@lib@@QEBAJJAEBU12@@Z',
  ],
  'a template with a return type': ['_Z1fIiET_S0_', 'int f<int>(int)', 'f<int>(int)', '??$f@H@@YAHH@Z'],
  'a conversion': ['_ZN1AcvPiEv', 'A::operator int*()'],
  'an operator': ['_ZlsRSoRK1A', 'operator<<(std::ostream&, A const&)'],
  'a lambda': ['_ZZ4mainENKUliE_clEi', 'main::{lambda(int)#1}::operator()(int) const'],
  'two constructors of one class': ['_ZN1AC1Ev', '_ZN1AC2Ev', 'A::A()', '??0A@@QEAA@XZ'],
  'an anonymous namespace': [
    '_ZN12_GLOBAL__N_15crashEv',
    '(anonymous namespace)::crash()',
    '?crash@?A0x3c4d5e6f@@YAXXZ',
  ],
  'Windows and macOS': ['?crash@@YAXXZ', 'void __cdecl crash(void)', '__Z5crashv', 'crash()'],
  'Rust, both manglings': ['_RNvMNtCs1234_7mycrate3modNtB2_1S3bar', '<mycrate::mod::S>::bar'],
  Go: ['runtime.memmove', 'runtime.memmove.abi0'],
};

it.each(Object.entries(GROUPS))('%s', async (_, names) => {
  const all = await Promise.all(names.map((name) => read(name)));
  expect(new Set(all.map(functionKey)).size, all.map(functionKey).join('\n')).toBe(1);
  for (const one of all)
    for (const other of all) {
      const lost = sameFunction(one, other);
      expect(lost).not.toBeNull();
      // Rust's demangled names say nothing of what they left out.
      if (one.linkage !== null && other.linkage !== null) expect(lost).toEqual([]);
    }
});

it.each([
  ['overloads, mangled', '_Z1fi', '_Z1fl'],
  ['overloads, demangled', 'f(int)', 'f(long)'],
  ['overloads of both kinds', '_Z1fi', 'f(long)'],
  ['const and not', '_ZN1A1fEv', 'A::f() const'],
  ['instantiations', 'box<int>::f()', 'box<long>::f()'],
  ['a thunk and its function', 'non-virtual thunk to A::f()', 'A::f()'],
  ['an outlined loop', 'f', 'f._omp_fn.0'],
  ['closures of one Go function', 'main.f.func1', 'main.f.func2'],
  ['methods of two Go types', 'main.(*T).f', 'main.(*U).f'],
  ['Rust instances, v0', '_RINvCs1234_7mycrate3fooyE', '_RINvCs1234_7mycrate3foohE'],
  ['lambdas', '_ZZ4mainENKUliE_clEi', 'main::{lambda(int)#2}::operator()(int) const'],
  ['an ending alone', '.cold', '.part.0'],
])('%s stay apart', async (_, a, b) => {
  expect(sameFunction(await read(a), await read(b))).toBeNull();
});

it.each([
  ['_Z1fi', 'f', ['overload']],
  ['A::f', 'A::f', ['overload']],
  ['_ZN1a1f17h0123456789abcdefE', '_ZN1a1f17hfedcba9876543210E', ['overload']],
  ['_ZN1a1f17h0123456789abcdefE', '_ZN1a1f17h0123456789abcdefE', []],
  ['_ZN1a1f17h0123456789abcdefE', 'a::f', ['overload']],
  ['f.lto_priv.0', 'f.lto_priv.1', ['file']],
  ['f.llvm.123', 'f', ['file']],
  ['f.lto_priv.1', 'f.lto_priv.1', []],
  ['f', 'f', []],
])('%s and %s count as one, and lose %j', async (a, b, lost) => {
  expect(sameFunction(await read(a), await read(b))).toEqual(lost);
});

it('names of PDBs bear no parameters, and C names of 32-bit Windows are decorated', async () => {
  const [pdb, elf] = [await read('f', { format: 'pdb' }), await read('f')];
  expect(sameFunction(pdb, pdb)).toEqual(['overload']);
  for (const decorated of ['_f', '_f@8', '@f@8', 'f@@16'])
    expect(sameFunction(await read(decorated, { windowsX86: true }), elf)).toEqual([]);
  expect(sameFunction(await read('_f'), elf)).toBeNull();
});

it('what a hostile file calls a function costs little and stays as it is', async () => {
  const hostile = [
    `${'f<'.repeat(2000)}(int)`,
    `f(${')'.repeat(3000)}`,
    'const '.repeat(600),
    `f${' [clone .a]'.repeat(300)}`,
    `f${'.cold'.repeat(800)}`,
    `_ZN${'9'.repeat(2000)}17h0123456789abcdefE`,
    "'lambda'(".repeat(400),
    'x'.repeat(5_000_000),
  ];
  const before = performance.now();
  for (const name of hostile) expect(functionName(name).name.length).toBeLessThanOrEqual(name.length + 4000);
  expect(performance.now() - before).toBeLessThan(2000);
  expect(functionName('f<(int)').name).toBe('f<(int)');
});
