/* Why a program could not be executed, in words. */
#ifndef NOT_STARTED_H
#define NOT_STARTED_H

/* Writes to stderr which part of the program `name` is missing or wrong; `error` is what execvp gave. Nothing of a
   guest has run then, so that the words are PID 1's alone. */
void say_why_not_started(const char *name, int error);

#endif
