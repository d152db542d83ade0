// cmocka for C++: the headers it wants, in the order it wants them.
//
// A failed assertion longjmps past destructors: put external state into setup and teardown.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

extern "C" {
#include <cmocka.h>
}
