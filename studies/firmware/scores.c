/* Prints for each sample the bits of its scores, its class, and ticks of the latter. */
#include "board.h"
#include "model.h"
#include "samples.h"

int main(void)
{
    static number y[MODEL_OUTPUTS];
    const int wrong = model_selftest();

    TICKS_FIRST = 0xffffff;
    TICKS = 0;
    TICKS_CONTROL = 5;
    for (int s = 0; s < COUNT; s++) {
        model_scores(samples[s], y);
        const uint32_t before = TICKS;
        const int best = model_class(samples[s]);
        const uint32_t ticks = (before - TICKS) & 0xffffff;
        for (int i = 0; i < MODEL_OUTPUTS; i++) {
            const union {
                number y;
                uint32_t word;
            } bits = {y[i]};
            print_hex(bits.word);
        }
        print_hex((uint32_t)best);
        print_hex(ticks);
        print("\n");
    }
    return wrong != 0;
}
