/* Start-up of a Cortex-M4, and semihosting: text and an exit code for the emulator. */
#include "board.h"

extern uint32_t stack_top, data_from, data_start, data_end, bss_start, bss_end;

int main(void);

static int host(int operation, const void *argument)
{
    register int r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

void print(const char *text)
{
    host(0x04, text);
}

void print_hex(uint32_t word)
{
    char text[10];
    for (int i = 0; i < 8; i++)
        text[i] = "0123456789abcdef"[word >> (28 - 4 * i) & 15];
    text[8] = ' ';
    text[9] = 0;
    print(text);
}

static void leave(uint32_t code)
{
    const uint32_t reason[2] = {0x20026, code};
    host(0x20, reason);
    for (;;)
        ;
}

static void fault(void)
{
    leave(255);
}

void start(void)
{
#if defined(__ARM_FP)
    *(volatile uint32_t *)0xe000ed88 |= 0xf << 20; /* the floating-point unit */
    __asm__ volatile("dsb\n isb");
#endif
    for (uint32_t *from = &data_from, *to = &data_start; to < &data_end;)
        *to++ = *from++;
    for (uint32_t *to = &bss_start; to < &bss_end;)
        *to++ = 0;
    leave((uint32_t)main());
}

/* Where it starts; all exceptions end the program. */
__attribute__((section(".vectors"), used)) static const struct {
    const void *stack;
    void (*handlers[15])(void);
} vectors = {
    &stack_top, {start, fault, fault, fault, fault, fault, fault},
};
