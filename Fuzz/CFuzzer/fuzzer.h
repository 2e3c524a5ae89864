#pragma once
#include <stddef.h>
#include <stdint.h>

// libFuzzer's own entry: reads its flags from the arguments and calls `one_input` until it is told to stop.
int LLVMFuzzerRunDriver(int *argument_count, char ***arguments, int (*one_input)(const uint8_t *data, size_t size));
