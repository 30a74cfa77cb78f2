# Macros of our own; nothing here comes from an archive.

# TAPECAST_CFLAG(VARIABLE, FLAG): appends FLAG to VARIABLE if the compiler takes it, beside those
# that are there already, without a word.
AC_DEFUN([TAPECAST_CFLAG], [
AS_VAR_PUSHDEF([answer], [tapecast_cv_cflag_$2])
AC_CACHE_CHECK([whether $CC takes $2], [answer], [
	tapecast_saved_CFLAGS=$CFLAGS
	CFLAGS="$CFLAGS $$1 -Werror $2"
	AC_COMPILE_IFELSE([AC_LANG_SOURCE([[int answer(void); int answer(void) { return 42; }]])],
		[AS_VAR_SET([answer], [yes])], [AS_VAR_SET([answer], [no])])
	CFLAGS=$tapecast_saved_CFLAGS
])
AS_VAR_IF([answer], [yes], [AS_VAR_APPEND([$1], [" $2"])])
AS_VAR_POPDEF([answer])
])

# TAPECAST_LDFLAG(VARIABLE, FLAG): the same for the linker.
AC_DEFUN([TAPECAST_LDFLAG], [
AS_VAR_PUSHDEF([answer], [tapecast_cv_ldflag_$2])
AC_CACHE_CHECK([whether the linker takes $2], [answer], [
	tapecast_saved_LDFLAGS=$LDFLAGS
	tapecast_saved_CFLAGS=$CFLAGS
	LDFLAGS="$LDFLAGS $2"
	CFLAGS="$CFLAGS -Werror"
	AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
		[AS_VAR_SET([answer], [yes])], [AS_VAR_SET([answer], [no])])
	LDFLAGS=$tapecast_saved_LDFLAGS
	CFLAGS=$tapecast_saved_CFLAGS
])
AS_VAR_IF([answer], [yes], [AS_VAR_APPEND([$1], [" $2"])])
AS_VAR_POPDEF([answer])
])

# TAPECAST_CFLAGS(VARIABLE, FLAGS), TAPECAST_LDFLAGS(VARIABLE, FLAGS): for a list of them.
AC_DEFUN([TAPECAST_CFLAGS], [m4_foreach_w([flag], [$2], [TAPECAST_CFLAG([$1], m4_defn([flag]))])])
AC_DEFUN([TAPECAST_LDFLAGS], [m4_foreach_w([flag], [$2], [TAPECAST_LDFLAG([$1], m4_defn([flag]))])])
