/* The least that uses a model, or nothing at all: the difference is its size. */
#ifdef WITH_MODEL
#include "model.h"
#endif

int main(void)
{
#ifdef WITH_MODEL
    return model_class((const void *)0x20000000);
#else
    return 0;
#endif
}
