/*
 * pipe_owner.exe <sid>: sets the owner of the relay's pipe. Windows sets it when a pipe is created; wine does not.
 */
#define _WIN32_WINNT 0x0602
#include <windows.h>
#include <sddl.h>

int main(int argc, char **argv)
{
	SECURITY_DESCRIPTOR descriptor;
	PSID owner = NULL;
	HANDLE pipe = CreateFileA("\\\\.\\pipe\\lockstep", GENERIC_READ | WRITE_OWNER, 0, NULL, OPEN_EXISTING, 0, NULL);
	return argc == 2 && pipe != INVALID_HANDLE_VALUE && ConvertStringSidToSidA(argv[1], &owner) &&
			       InitializeSecurityDescriptor(&descriptor, SECURITY_DESCRIPTOR_REVISION) &&
			       SetSecurityDescriptorOwner(&descriptor, owner, FALSE) &&
			       SetKernelObjectSecurity(pipe, OWNER_SECURITY_INFORMATION, &descriptor)
		       ? 0
		       : 1;
}
