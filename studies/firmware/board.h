/* What programs for the board use. */
#ifndef BOARD_H
#define BOARD_H

#include <stdint.h>

/* Systick counts 25 MHz down; QEMU's -icount shift=0 takes 1 ns an instruction. */
#define TICKS_CONTROL (*(volatile uint32_t *)0xe000e010)
#define TICKS_FIRST (*(volatile uint32_t *)0xe000e014)
#define TICKS (*(volatile uint32_t *)0xe000e018)

void print(const char *text);
void print_hex(uint32_t word); /* and a blank */

#endif
