/* deterministic-run.sh's own arguments: from "--seed N [-- COMMAND...]" to what is to be executed. */
#ifndef REENACT_COMMAND_H
#define REENACT_COMMAND_H

/* Sets SEED and returns the command's argv (the image's own command when none is given).
   Returns NULL after writing one sentence to stderr when the arguments make no sense. */
char **resolve_command(char **argv);

#endif
