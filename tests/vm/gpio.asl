/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A GPIO chip of the guest: the kernel's gpio-amdpt over a page of memory that the command line keeps free. What the
 * driver writes there can be read back. */
DefinitionBlock ("", "SSDT", 2, "KVM", "GPIO", 0x00000001)
{
	Scope (\_SB)
	{
		Device (GPT0)
		{
			Name (_HID, "AMDF030")
			Name (_UID, Zero)
			Name (_CRS, ResourceTemplate ()
			{
				Memory32Fixed (ReadWrite, 0x70000000, 0x00001000)
			})
		}
	}
}
