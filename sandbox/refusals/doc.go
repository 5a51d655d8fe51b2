// Package refusals proves that whatever AWS refuses because of a stage file alone, the program refuses before it
// changes anything: it gives stage files near every limit to the program, and what that declares to a sandbox account.
package refusals
