/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What it costs to run anything at all. */
int main(void)
{
	return 0;
}
