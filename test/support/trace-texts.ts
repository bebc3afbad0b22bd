/** What tools print of a crash, as they printed it and cut to what matters. */

/** Of clang 19, `symbolize=0`: heap-buffer-overflow in a PIE. */
export const ASAN = `=================================================================
==16234==ERROR: AddressSanitizer: heap-buffer-overflow on address 0x502000000030 at pc 0x560e2b6beb48 bp 0x7ffe8165f870 sp 0x7ffe8165f868
WRITE of size 4 at 0x502000000030 thread T0
    #0 0x560e2b6beb47  (/opt/a b (1)/app+0x10bb47) (BuildId: 8c8bd5096de5c0b621f9cc73316bf9d9786b1e61)
    #1 0x560e2b6bed40  (/opt/a b (1)/app+0x10bd40) (BuildId: 8c8bd5096de5c0b621f9cc73316bf9d9786b1e61)
    #2 0x7f56acdd2249  (/lib/x86_64-linux-gnu/libc.so.6+0x27249)

0x502000000030 is located 16 bytes after 16-byte region [0x502000000010,0x502000000020)
allocated by thread T0 here:
    #0 0x560e2b67e5cf  (/opt/a b (1)/app+0xcb5cf) (BuildId: 8c8bd5096de5c0b621f9cc73316bf9d9786b1e61)

SUMMARY: AddressSanitizer: heap-buffer-overflow (/opt/a b (1)/app+0x10bb47) (BuildId: 8c8bd5096de5c0b621f9cc73316bf9d9786b1e61)
`;
/** The same with names, which leave no module; inlined calls are frames of their own. */
export const ASAN_NAMED = `==1==ERROR: AddressSanitizer: SEGV on unknown address 0x000000000018 (pc 0x560f8f5f0b9e bp 0x7ffdf85e6a20 sp 0x7ffdf85e6970 T0)
    #0 0x564cc1fcfb47 in inl(int) /src/o.c:5:82
    #1 0x564cc1fcfb47 in (anonymous namespace)::middle(int) /src/o.c:6:71
    #2 0x564cc1fcfd40 in main /src/o.c:10:26
    #3 0x564cc1fcfd40 in main /src/o.c:10:26
    #4 0x564cc1ef0330 in _start (/opt/app+0x2c330) (BuildId: 8c8bd509)
`;
/** Loaded where it was linked: where the image begins is not said. */
export const ASAN_FIXED = `==1==ERROR: AddressSanitizer: attempting double-free on 0x502000000030 in thread T0:
    #0 0x000000509ad2  (/opt/app+0x509ad2) (BuildId: aa75be7e)
`;
export const UBSAN = `o.c:8:54: runtime error: shift exponent 35 is too large for 32-bit type 'int'
    #0 0x5593b6653ef1 in shift /src/o.c:8
    #1 0x5593b6654008  (/opt/app+0x31008) (BuildId: bb5c511e)

SUMMARY: UndefinedBehaviorSanitizer: undefined-behavior o.c:8:54
==9==ERROR: AddressSanitizer: stack-overflow on address 0x7ffe1
    #0 0x5593b6653f00  (/opt/app+0x30f00) (BuildId: bb5c511e)
`;
export const TSAN = `==================
WARNING: ThreadSanitizer: data race (pid=19347)
  Write of size 4 at 0x5555569e4698 by thread T2:
    #0 <null> <null> (clang-tsan+0xe458e) (BuildId: 39e646c8)
    #1 f /src/t.c:2:24 (clang-tsan+0x61de7) (BuildId: 39e646c8)

  Previous write of size 4 at 0x5555569e4698 by thread T1:
    #0 <null> <null> (clang-tsan+0xe458e) (BuildId: 39e646c8)
`;
export const ASAN_MAC = `==5==ERROR: AddressSanitizer: stack-buffer-overflow on address 0x16f
    #0 0x104a3fe5c in main+0x1a4 (a.out:arm64+0x100003e5c) (BuildId: ac91bd6396f63a4f8d7a0a7bba3ac8d532000000200000000100000000000c00)
`;
export const GO = `panic: runtime error: invalid memory address or nil pointer dereference
[signal SIGSEGV: segmentation violation code=0x1 addr=0x18 pc=0x481000]

goroutine 1 [running]:
panic({0x48bc40, 0x521f60})
	/usr/lib/go/src/runtime/panic.go:987 +0x3ba fp=0xc00006cec8 sp=0xc00006ce08 pc=0x43137a
runtime.panicmem(...)
	/usr/lib/go/src/runtime/panic.go:260
runtime.sigpanic()
	/usr/lib/go/src/runtime/signal_unix.go:835 +0x2f6 fp=0xc00006cf18 sp=0xc00006cec8 pc=0x445916
main.(*T).culprit(0x0?)
	/src/main.go:5 fp=0xc00006cf20 sp=0xc00006cf18 pc=0x481000
main.caller(0x405359?)
	/src/main.go:7 +0x19

goroutine 6 gp=0xc000 m=nil [select (no cases), 3 minutes]:
main.main.func1()
	/src/main.go:9 +0x17
created by main.main in goroutine 1
	/src/main.go:9 +0x2e
exit status 2
`;
export const RUST = `
thread 'main' (11195) panicked at r.rs:1:56:
index out of bounds: the len is 3 but the index is 7
stack backtrace:
   0:     0x557b1678effa - std[e28293b1aa0f68bd]::backtrace_rs::backtrace::libunwind::trace
                               at /rustc/59807616/library/std/src/libunwind.rs:117:9
   1:     0x557b1678effa - std::sys::backtrace::_print_fmt
                               at /rustc/59807616/library/std/src/sys/backtrace.rs:74:9
   2:     0x557b1676594c - main
   3:                0x0 - <unknown>
note: Some details are omitted
`;
export const RUST_SHORT = `thread 'main' panicked at r.rs:1:56:
stack backtrace:
   0: __rustc::rust_begin_unwind
   1: r::inner
             at ./r.rs:1:56
`;
export const PYTHON = `Traceback (most recent call last):
  File "/src/a b.py", line 7, in chained
    try: f(0)
         ^^^^
  File "/src/a b.py", line 3, in f
    return 1 // n
ZeroDivisionError: integer division or modulo by zero

The above exception was the direct cause of the following exception:

Traceback (most recent call last):
  File "/src/a b.py", line 12, in <module>
    rec(0)
  File "/src/a b.py", line 4, in rec
    def rec(n): return rec(n+1)
  [Previous line repeated 2 more times]
acme.errors.TooDeep: maximum recursion depth exceeded
`;
export const PYTHON_FATAL = `Fatal Python error: Segmentation fault

Thread 0x00007f19ebced6c0 (most recent call first):
  File "/lib/threading.py", line 982 in run

Current thread 0x00007f19eca7cb80 (most recent call first):
  File "/lib/ctypes/__init__.py", line 519 in string_at
  File "/src/a.py", line 19 in <module>
`;
export const JAVA = `Exception in thread "main" java.lang.IllegalStateException: bad
	at com.acme.App.g(App.java:5)
	at com.acme.App.lambda$main$1(App.java:9)
	at java.base/java.lang.Iterable.forEach(Iterable.java:75)
	at java.base/jdk.internal.reflect.NativeMethodAccessorImpl.invoke0(Native Method)
	at app//Main.main(Main.kt:3)
Caused by: java.lang.ArrayIndexOutOfBoundsException: Index 7 out of bounds for length 3
	at com.acme.App$Inner.<init>(App.java:4)
	... 2 more
`;
export const DOTNET = `Unhandled exception. System.InvalidOperationException: outer
 ---> System.NullReferenceException: Object reference not set to an instance of an object.
   at Acme.Program.Inner(String x) in /src/app/Program.cs:line 12
   --- End of inner exception stack trace ---
   at Acme.Program.Run[T](List\`1 items) in /src/app/Program.cs:line 24
--- End of stack trace from previous location ---
   at System.Runtime.ExceptionServices.ExceptionDispatchInfo.Throw()
   at Acme.Program.Main(String[] args) in C:\\src\\app (x)\\Program.cs:line 30
`;
export const MONO = `
Unhandled Exception:
System.NullReferenceException: Object reference not set to an instance of an object
  at Program.Inner (System.String x) [0x00001] in /src/p.cs:5
  at Program.Main (System.String[] args) [0x00007] in <0123456789abcdef0123456789abcdef>:0
[ERROR] FATAL UNHANDLED EXCEPTION: System.NullReferenceException: Object reference not set to an instance of an object
  at Program.Inner (System.String x) [0x00001] in /src/p.cs:5
`;

/** iOS 14: images last, one thread with names, an exception that nothing caught as the device writes it. */
export const APPLE_TEXT = `Incident Identifier: E44AD7C2-4F93-47A8-A1D7-CB619425EFB1
Process:             Crashy [8364]
Code Type:           ARM-64 (Native)

Exception Type:  EXC_CRASH (SIGABRT)
Exception Codes: 0x0000000000000000, 0x0000000000000000
Triggered by Thread:  3

Last Exception Backtrace:
(0x1883aa59c 0x100052d10)

Thread 0 name:  Dispatch queue: com.apple.main-thread
Thread 0:
0   Crashy                        	0x0000000100052d20 0x10004c000 + 27936

Thread 3 Crashed:
0   libsystem_kernel.dylib        	0x00000001995eb270 __pthread_kill + 8
1   Crashy                        	0x0000000100052d30 main (main.m:12) + 20

Thread 3 crashed with ARM Thread State (64-bit):
    x0: 0x0000000000000000   x1: 0x0000000000000000

Binary Images:
0x10004c000 - 0x100057fff Crashy arm64  <4cf9d6b8e5a93b6d8e5b2a0f7d3c9e11> /var/containers/Crashy app/Crashy
       0x188300000 -        0x1884fffff +com.acme.Core (1.0 - 1) <67E9247C-814E-392B-A027-DBDE6748FCBF> /Library/Core
0x1995d0000 - 0x1995f1fff libsystem_kernel.dylib arm64e  <00000000000000000000000000000000> /usr/lib/libsystem_kernel.dylib
`;
export const STACKWALK_TEXT = `Operating system: Windows NT
                  5.1.2600 Service Pack 2
CPU: x86
     1 CPU

Crash reason:  EXCEPTION_ACCESS_VIOLATION_WRITE
Crash address: 0x45

Thread 0 (crashed)
 0  test_app.exe!crash [a.cc : 12 + 0x5]
    eip = 0x0040429e   esp = 0x0012fe84   ebp = 0x0012fe88
    Found by: given as instruction pointer in context
 1  test_app.exe!inlined [a.cc : 13]
    Found by: inlining
 2  test_app.exe + 0x4200
    eip = 0x00404200   esp = 0x0012fe90
    Found by: previous frame's frame pointer
 3  kernel32.dll + 0x16fd7
    eip = 0x7c816fd7   esp = 0x0012ffc8
    Found by: stack scanning
 4  0x99
    Found by: call frame info

Thread 1
 0  kernel32.dll + 0x1
    eip = 0x7c800001

Loaded modules:
0x00400000 - 0x0042cfff  test_app.exe  ???  (main)  (WARNING: No symbols, test_app.pdb, 5A9832E5287241C1838ED98914E9B7FF1)
0x7c800000 - 0x7c8f3fff  kernel32.dll  5.1.2600.2945
`;
export const PERF = `app 27579/27580 [001] 14676.348494: PERF_RECORD_MMAP2 27579/27580: [0x55e76b8d4000(0x1000) @ 0x1000 <f1c3bcc0279865fe3058404b2831d9e64135386c>]: r-xp /opt/a (1)/app
app 27579/27580 [001] 14676.348856:     250000 cpu-clock:pppH:
	ffffffff815a1421 do_fault+0x11 ([kernel.kallsyms])
	            1166 inl (inlined)
	            1166 spin(int)+0x1d (/opt/a (1)/app)
	    55e76b8d41f5 main+0x2a (/opt/a (1)/app)
	    7f876d89e8a8 [unknown] (/usr/lib/libc.so.6)
	               0 [unknown] ([unknown])

app 27579 14676.349084:     250000 cpu-clock:pppH:
	    7f876d89e8a8 [unknown] ([unknown])
`;
export const HEAP = `heap profile:     24:  4198471 [    24:  4198471] @ heapprofile
    22:  4194303 [    22:  4194303] @ 0x55ed881941c6 0x55ed881941e0 0x1
     1:       72 [     1:       72] @ 0x55ed881941c7

MAPPED_LIBRARIES:
55ed88193000-55ed88194000 r--p 00000000 00:00 2154504     /opt/a b
55ed88194000-55ed88195000 r-xp 00001000 00:00 2154504     /opt/a b
7f50a2445000-7f50a2446000 r-xp 00001000 00:00 7     /lib/cut.so
7ffd1000-7ffd2000 r-xp 00000000 00:00 0     [vdso]
`;
export const PPROF_RAW = `PeriodType: cpu nanoseconds
Period: 10000000
Samples:
samples/count cpu/nanoseconds
          9   90000000: 1 2
                thread:[main]
         12  120000000: 3
Locations
     1: 0x55e6728d030c M=1 main.spin /src a/main.go:19:0 s=0
             main.outer /src a/main.go:20:0 s=0
     2: 0x55e6728d0338 M=1 main.middle /src a/main.go:26 s=0
     3: 0x7 M=9
Mappings
1: 0x55e67281b000/0x55e6728d1000/0x4c000 /opt/a b 6281ba0824257c0f646d15b88ed407c8444d3858 [FN][LN]
2: 0x1000/0x2000/0x0 [vdso]
`;
