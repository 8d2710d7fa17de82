// Iridis, the language of the scenarios: everything that a front end needs, in one include.
//     program.hpp      Parse, ParseFile: a text to a Program and all that is wrong with it
//     run.hpp          Run: a Program to events, console text, leaks and expectations
//     diagnostic.hpp   Render: what is wrong, with its line and a caret
//     highlight.hpp    Highlight: the classes of a text's tokens
// The language itself: scenarios/README.md.
#pragma once

#include "scenario/diagnostic.hpp"
#include "scenario/highlight.hpp"
#include "scenario/program.hpp"
#include "scenario/run.hpp"
