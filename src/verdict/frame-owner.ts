/** Whose code a frame is: the program's, or that of the layers below every program: C libraries and languages' runtimes. */
import { functionKey, functionName } from '../base/function-name.ts';
import type { Crash } from '../sandbox/crash.ts';

export type Owner = 'program' | 'c_library' | 'runtime';

type Frame = Crash['frames'][number];

/** glibc, musl, and their loaders, by the names that distributions give the files. */
const C_LIBRARY =
  /^(?:lib(?:c|m|pthread|rt|dl|util|resolv|BrokenLocale|SegFault)|ld)(?:-\d+(?:\.\d+)+)?\.so(?:\.\d+)*$|^libc\.musl-\w+\.so\.1$|^ld-(?:linux|musl)[\w-]*\.so(?:\.\d+)*$/;

/** C++, GCC's and LLVM's unwinders, sanitizers, Rust's and GCC's Go library. */
const RUNTIME =
  /^(?:libstdc\+\+|libsupc\+\+|libgcc_s|libc\+\+|libc\+\+abi|libunwind|lib(?:hw)?[atmlu]b?san|libclang_rt\.[\w.-]+|libstd-[0-9a-f]+|libgo)(?:-\d+(?:\.\d+)*)?\.so(?:\.\d+)*$/;

/** In statically linked programs: the functions that lead from abort and assert to the kernel, find damaged memory, and call main. */
const C_FUNCTIONS = new Set(
  `abort raise gsignal kill killpg tgkill tkill sigqueue pthread_kill pthread_sigqueue __pthread_kill __pthread_kill_internal
  __pthread_kill_implementation __raise __assert __assert_fail __assert_fail_base __assert_perror_fail
  __libc_message __libc_message_impl __libc_fatal __libc_assert_fail __libc_start_main __libc_start_call_main __libc_start_main_impl
  libc_start_main_stage2 libc_start_main_stage1 _start _start_c __fortify_fail __fortify_fail_abort __chk_fail __stack_chk_fail
  __stack_chk_fail_local __stack_smash_handler __libc_free __libc_malloc __libc_realloc __libc_calloc __libc_memalign
  malloc calloc realloc free cfree memalign aligned_alloc posix_memalign malloc_printerr malloc_consolidate
  unlink_chunk unlink_chunk.isra.0 sysmalloc systrim _int_free _int_malloc _int_realloc _int_memalign tcache_get
  tcache_put munmap_chunk ptmalloc_init get_meta alloc_slot a_crash __restore_sigs __block_app_sigs __block_all_sigs __syscall_cancel __syscall_cancel_arch
  __internal_syscall_cancel start_thread clone __clone clone3 __clone3 start`.split(/\s+/),
);

/** By name of glibc's copies for processors: __memmove_avx_unaligned_erms, and the checking variants: __memcpy_chk. */
const C_PATTERNS =
  /^(?:__)?(?:mem|str|stp|wcs|wmem|bcmp|bcopy|bzero|rawmem)\w*?(?:_(?:sse\d\w*|ssse3\w*|avx\w*|evex\w*|erms\w*)|_chk)$|^__GI_/;

/** The C library's plain names: a program of its own with such a function names its caller instead. */
const C_STRINGS =
  /^(?:mem(?:cpy|move|set|cmp|chr|rchr|mem|pcpy)|str(?:len|nlen|cpy|ncpy|cat|ncat|cmp|ncmp|chr|rchr|str|dup|tok|spn|cspn|pbrk|lcpy|lcat))$/;

/** Linkage names and plain ones of C++'s termination and unwinding, of sanitizers, and of Rust's and Go's own code. */
const RUNTIME_NAMES =
  /^(?:_Unwind_|__cxa_|__gxx_|_ZSt\d*\w*terminate|_ZSt\d+__throw_|_ZN10__cxxabiv1|_ZN9__gnu_cxx27__verbose_terminate|_?_{0,2}interceptor_|__(?:asan|ubsan|tsan|msan|lsan|hwasan|sanitizer|sancov)_|_ZN(?:K)?\d+__(?:asan|ubsan|tsan|msan|lsan|hwasan|sanitizer|interception)|rust_(?:panic|begin_unwind|eh_personality|oom)|__rust_|__rdl_|__rg_|runtime\.|runtime\/|internal\/runtime\/|runtime_)/;

/** Rust's newer mangling (RFC 2603): the crate that a function, or the implementation it is in, belongs to. */
const RUST_CRATE =
  /^_R(?:I|N[A-Za-z]|[MX](?:s[0-9A-Za-z]*_)?|Y)*C(?:s[0-9A-Za-z]*_)?(?:3std|4core|5alloc|12panic_unwind|11panic_abort|7___rustc)/;

/** Rust's first mangling, undone: `<core::…>` in implementations of traits. */
const RUST_LIBRARY = /^<?(?:std|core|alloc|panic_unwind|panic_abort)::/;

/** The last part of a module's path, without the kernel's note that the file is deleted. */
export function moduleName(path: string): string {
  const left = path.replace(/ \(deleted\)$/, '');
  return left.slice(left.lastIndexOf('/') + 1);
}

/** Without versions that the linker adds, and clone endings of compilers: `f@@V.1`, `f.constprop.0`, `f.cold`. */
function stemOf(name: string): string {
  return name.replace(/@.*$/, '').replace(/(?<=.)(?:\.(?:cold|constprop|isra|part|lto_priv|llvm|\d+))+$/, '');
}

/** Guests choose names of files and functions: this result is for people and for choosing a frame, and proves nothing. */
export function ownerOf({ module, function: named }: Frame): Owner {
  const file = module === null ? '' : moduleName(module);
  if (C_LIBRARY.test(file)) return 'c_library';
  if (RUNTIME.test(file)) return 'runtime';
  if (!named) return 'program';
  const { name } = named;
  const plain = stemOf(name);
  // Libraries give one function several names, told apart by underscores.
  const bare = plain.replace(/^_+/, '');
  if (C_FUNCTIONS.has(plain) || C_FUNCTIONS.has(bare) || C_PATTERNS.test(plain) || C_STRINGS.test(plain))
    return 'c_library';
  if (RUNTIME_NAMES.test(plain) || RUST_CRATE.test(plain)) return 'runtime';
  // Only a name with a hash is Rust's: C++ has namespaces std and core too.
  return /17h[0-9a-f]{16}E/.test(name) && RUST_LIBRARY.test(functionName(name).name) ? 'runtime' : 'program';
}

/** A function's name in the form that rebuilding keeps: without clone endings and hashes. */
export function plainFunction(name: string): string {
  return functionKey(functionName(name.replace(/@.*$/, '')));
}
