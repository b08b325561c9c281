/*
 * Calls the notification package as LSASS does: host.exe <dll> <file of calls> [at-once]
 *
 * A call is two strings, the user and the password. A string is its length in bytes (16 bits, little-endian; 0xffff for a
 * missing string) and UTF-16. The program prints for each call the results, the duration, and the number of copies of the
 * password that are in its memory after the package has returned and the program's own copy is wiped.
 */
#define _WIN32_WINNT 0x0602
#include <windows.h>
#include <ntsecapi.h>
#include <stdio.h>

typedef BOOLEAN(NTAPI *initialize_t)(void);
typedef NTSTATUS(NTAPI *notify_t)(PUNICODE_STRING, ULONG, PUNICODE_STRING);
typedef BOOLEAN(NTAPI *filter_t)(PUNICODE_STRING, PUNICODE_STRING, PUNICODE_STRING, BOOLEAN);

enum { MAX_CALLS = 64, MAX_BYTES = 65536, NONE = 0xffff, MASK = 0x5a };

struct call {
	UNICODE_STRING user, password;
	BOOLEAN has_user, has_password, accepted;
	NTSTATUS answer;
	ULONGLONG took_ms;
	int left_behind;
};

static notify_t notify;
static filter_t filter;
static BYTE input[MAX_BYTES];
static struct call calls[MAX_CALLS];

static BYTE *take(BYTE *at, UNICODE_STRING *text, BOOLEAN *is_there)
{
	USHORT length = (USHORT)(at[0] | at[1] << 8);
	*is_there = length != NONE;
	text->Length = text->MaximumLength = length == NONE ? 0 : length;
	text->Buffer = text->Length == 0 ? NULL : (WCHAR *)(at + 2);
	return at + 2 + text->Length;
}

static DWORD WINAPI carry_out(void *which)
{
	struct call *call = which;
	UNICODE_STRING *user = call->has_user ? &call->user : NULL;
	UNICODE_STRING *password = call->has_password ? &call->password : NULL;
	ULONGLONG began = GetTickCount64();
	call->accepted = filter(user, NULL, password, TRUE);
	call->answer = notify(user, 1105, password);
	call->took_ms = GetTickCount64() - began;
	return 0;
}

/* Counts copies of the masked bytes. They are masked so that the search does not find its own argument. */
static int copies_in(const BYTE *bytes, size_t size, const BYTE *masked, size_t length)
{
	int found = 0;
	for (size_t at = 0; length > 0 && at + length <= size; at++) {
		size_t same = 0;
		while (same < length && (bytes[at + same] ^ MASK) == masked[same])
			same++;
		found += same == length;
	}
	return found;
}

static int copies_in_memory(const BYTE *masked, size_t length)
{
	const DWORD readable = PAGE_READWRITE | PAGE_EXECUTE_READWRITE | PAGE_WRITECOPY | PAGE_EXECUTE_WRITECOPY;
	MEMORY_BASIC_INFORMATION region;
	int found = 0;
	for (BYTE *at = NULL; VirtualQuery(at, &region, sizeof region) != 0; at = (BYTE *)region.BaseAddress + region.RegionSize)
		if (region.State == MEM_COMMIT && (region.Protect & readable) && !(region.Protect & PAGE_GUARD))
			found += copies_in(region.BaseAddress, region.RegionSize, masked, length);
	return found;
}

static void mask(BYTE *to, const void *from, size_t length)
{
	for (size_t at = 0; at < length; at++)
		to[at] = ((const BYTE *)from)[at] ^ MASK;
}

/* Searches for the password as UTF-16 and as UTF-8. */
static void look_for_copies(struct call *call)
{
	static BYTE wide[MAX_BYTES], narrow[MAX_BYTES];
	char utf8[1024];
	int units = call->password.Length / 2;
	int length = units == 0 ? 0
				: WideCharToMultiByte(CP_UTF8, 0, call->password.Buffer, units, utf8, sizeof utf8, NULL, NULL);
	mask(wide, call->password.Buffer, call->password.Length);
	mask(narrow, utf8, (size_t)length);
	SecureZeroMemory(utf8, sizeof utf8);
	if (units > 0)
		SecureZeroMemory(call->password.Buffer, call->password.Length);
	call->left_behind = copies_in_memory(wide, call->password.Length) + copies_in_memory(narrow, (size_t)length);
}

static int load(const char *dll)
{
	HMODULE module = LoadLibraryA(dll);
	if (module == NULL)
		return 0;
	/* FARPROC has no argument types, so the pointer is converted through void. */
	initialize_t initialize = (initialize_t)(void *)GetProcAddress(module, "InitializeChangeNotify");
	notify = (notify_t)(void *)GetProcAddress(module, "PasswordChangeNotify");
	filter = (filter_t)(void *)GetProcAddress(module, "PasswordFilter");
	return initialize != NULL && notify != NULL && filter != NULL && initialize();
}

static int read_calls(const char *file)
{
	DWORD length = 0;
	int count = 0;
	HANDLE handle = CreateFileA(file, GENERIC_READ, FILE_SHARE_READ, NULL, OPEN_EXISTING, 0, NULL);
	if (handle == INVALID_HANDLE_VALUE || !ReadFile(handle, input, sizeof input, &length, NULL))
		return 0;
	CloseHandle(handle);
	for (BYTE *at = input; at < input + length && count < MAX_CALLS; count++) {
		at = take(at, &calls[count].user, &calls[count].has_user);
		at = take(at, &calls[count].password, &calls[count].has_password);
	}
	return count;
}

static void carry_out_at_once(int count)
{
	HANDLE threads[MAX_CALLS];
	for (int at = 0; at < count; at++)
		threads[at] = CreateThread(NULL, 0, carry_out, &calls[at], 0, NULL);
	WaitForMultipleObjects((DWORD)count, threads, TRUE, INFINITE);
}

int main(int argc, char **argv)
{
	int at_once = argc > 3;
	if (argc < 3 || !load(argv[1]))
		return 1;
	int count = read_calls(argv[2]);
	if (at_once)
		carry_out_at_once(count);
	for (int at = 0; at < count; at++) {
		struct call *call = &calls[at];
		if (!at_once) {
			carry_out(call);
			look_for_copies(call);
		}
		printf("accepted=%d answer=%ld ms=%lu copies=%d\n", call->accepted, (long)call->answer,
		       (unsigned long)call->took_ms, call->left_behind);
	}
	return 0;
}
