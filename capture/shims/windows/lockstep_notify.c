/*
 * A notification package for Windows domain controllers ("Password Filters" in the Win32 documentation):
 *   HKLM\SYSTEM\CurrentControlSet\Control\Lsa, Notification Packages: lockstep_notify
 *
 * It runs inside LSASS, which calls PasswordChangeNotify after it stored a password and waits for it to return. The code
 * therefore allocates nothing, throws nothing, keeps no state between calls, sends nothing over the network and takes at
 * most WITHIN_MS. A failure never affects the change. A password that is not handed over is lost to Lockstep;
 * `lockstep stale --look` finds the affected accounts.
 */
#define WIN32_LEAN_AND_MEAN
#define _WIN32_WINNT 0x0602
#include <windows.h>
#include <ntsecapi.h>

#include "../message.h"

#define WITHIN_MS 500

static const WCHAR PIPE[] = L"\\\\.\\pipe\\lockstep";

static const NTSTATUS DONE = 0;

static void hand_over(const unsigned char *message, DWORD length);
static BOOL is_person(const UNICODE_STRING *name);
static size_t utf8_of(const UNICODE_STRING *text, char *utf8, int most);
static unsigned long long now_ms(void);

/* The entry point of the DLL. It is linked without a C library, whose start-up code allocates memory. */
BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, LPVOID reserved)
{
	(void)module, (void)reason, (void)reserved;
	return TRUE;
}

BOOLEAN NTAPI InitializeChangeNotify(void)
{
	return TRUE;
}

/* Accepts every password: this package checks no policy, and a candidate passed here is not stored yet. */
BOOLEAN NTAPI PasswordFilter(PUNICODE_STRING account, PUNICODE_STRING full_name, PUNICODE_STRING password, BOOLEAN set)
{
	(void)account, (void)full_name, (void)password, (void)set;
	return TRUE;
}

NTSTATUS NTAPI PasswordChangeNotify(PUNICODE_STRING user, ULONG relative_id, PUNICODE_STRING password)
{
	char name[LOCKSTEP_MAX_ACCOUNT];
	char next[LOCKSTEP_MAX_PASSWORD];
	unsigned char message[LOCKSTEP_MAX_MESSAGE];
	(void)relative_id;
	if (!is_person(user))
		return DONE;
	size_t name_length = utf8_of(user, name, sizeof name);
	size_t next_length = utf8_of(password, next, sizeof next);
	size_t length = lockstep_encode(message, name, name_length, next, next_length, now_ms());
	SecureZeroMemory(next, sizeof next);
	if (length > 0)
		hand_over(message, (DWORD)length);
	SecureZeroMemory(message, sizeof message);
	return DONE;
}

/* Whether a name begins with a word of `length` letters, in any case. */
static BOOL begins_with(const UNICODE_STRING *name, const WCHAR *word, int length)
{
	return name->Length / sizeof(WCHAR) >= (size_t)length &&
	       CompareStringOrdinal(name->Buffer, length, word, length, TRUE) == CSTR_EQUAL;
}

/*
 * Whether an account can belong to a person. The names of computers, managed service accounts and trusts end with a dollar,
 * and their passwords are random. The account that signs tickets is krbtgt, or krbtgt_ and a number for a read-only domain
 * controller (MS-ADTS 6.1.1).
 */
static BOOL is_person(const UNICODE_STRING *name)
{
	size_t length = name == NULL || name->Buffer == NULL ? 0 : name->Length / sizeof(WCHAR);
	size_t digits = 0;
	if (length == 0 || name->Buffer[length - 1] == L'$')
		return FALSE;
	while (digits < length && name->Buffer[length - 1 - digits] >= L'0' && name->Buffer[length - 1 - digits] <= L'9')
		digits++;
	if (length == 6)
		return !begins_with(name, L"krbtgt", 6);
	return digits == 0 || length != 7 + digits || !begins_with(name, L"krbtgt_", 7);
}

/* Converts to UTF-8 and returns the length. Returns 0 for half of a surrogate pair, which no other system could store. */
static size_t utf8_of(const UNICODE_STRING *text, char *utf8, int most)
{
	int units = text == NULL || text->Buffer == NULL ? 0 : (int)(text->Length / sizeof(WCHAR));
	if (units == 0)
		return 0;
	return (size_t)WideCharToMultiByte(CP_UTF8, WC_ERR_INVALID_CHARS, text->Buffer, units, utf8, most, NULL, NULL);
}

/* The time in milliseconds since 1970. Windows counts tenths of a microsecond since 1601. */
static unsigned long long now_ms(void)
{
	FILETIME time;
	GetSystemTimeAsFileTime(&time);
	return (((unsigned long long)time.dwHighDateTime << 32) + time.dwLowDateTime) / 10000 - 11644473600000ULL;
}

/* Milliseconds until the deadline; 0 after it. */
static DWORD left_until(ULONGLONG deadline)
{
	ULONGLONG now = GetTickCount64();
	return now < deadline ? (DWORD)(deadline - now) : 0;
}

/* Opens the pipe of the relay. SECURITY_ANONYMOUS prevents the server of the pipe from impersonating LSASS. */
static HANDLE open_pipe(ULONGLONG deadline)
{
	const DWORD flags = FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_ANONYMOUS;
	for (;;) {
		HANDLE pipe = CreateFileW(PIPE, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, flags, NULL);
		if (pipe != INVALID_HANDLE_VALUE || GetLastError() != ERROR_PIPE_BUSY)
			return pipe;
		DWORD left = left_until(deadline);
		if (left == 0 || !WaitNamedPipeW(PIPE, left))
			return INVALID_HANDLE_VALUE;
	}
}

/*
 * Whether the owner of the pipe is LocalSystem or the administrators. Any user can create a pipe with an unused name and
 * would receive passwords, but only LocalSystem and administrators can create one with such an owner. By default the
 * access control list of such a pipe lets no other user serve further instances of it.
 */
static BOOL is_of_administrators(HANDLE pipe)
{
	union {
		SECURITY_DESCRIPTOR descriptor;
		BYTE bytes[SECURITY_DESCRIPTOR_MIN_LENGTH + SECURITY_MAX_SID_SIZE];
	} held;
	DWORD needed;
	PSID owner = NULL;
	BOOL defaulted;
	if (!GetKernelObjectSecurity(pipe, OWNER_SECURITY_INFORMATION, &held, sizeof held, &needed) ||
	    !GetSecurityDescriptorOwner(&held, &owner, &defaulted) || owner == NULL)
		return FALSE;
	return IsWellKnownSid(owner, WinLocalSystemSid) || IsWellKnownSid(owner, WinBuiltinAdministratorsSid);
}

/*
 * Waits for an overlapped call and returns the number of bytes that it transferred before the deadline. The buffers of the
 * call must stay valid until this returns.
 */
static DWORD finished(HANDLE pipe, OVERLAPPED *call, BOOL done, ULONGLONG deadline)
{
	DWORD bytes = 0;
	if (!done && GetLastError() != ERROR_IO_PENDING)
		return 0;
	if (WaitForSingleObject(call->hEvent, left_until(deadline)) != WAIT_OBJECT_0)
		CancelIoEx(pipe, call);
	return GetOverlappedResult(pipe, call, &bytes, TRUE) ? bytes : 0;
}

/*
 * Sends the message and waits for the answer, so that a capture is durable before the next one is sent. The content of the
 * answer is not used.
 */
static void hand_over(const unsigned char *message, DWORD length)
{
	ULONGLONG deadline = GetTickCount64() + WITHIN_MS;
	OVERLAPPED call = { .hEvent = CreateEventW(NULL, TRUE, FALSE, NULL) };
	HANDLE pipe = call.hEvent == NULL ? INVALID_HANDLE_VALUE : open_pipe(deadline);
	char answer;
	if (pipe != INVALID_HANDLE_VALUE && is_of_administrators(pipe) &&
	    finished(pipe, &call, WriteFile(pipe, message, length, NULL, &call), deadline) == length)
		finished(pipe, &call, ReadFile(pipe, &answer, 1, NULL, &call), deadline);
	if (pipe != INVALID_HANDLE_VALUE)
		CloseHandle(pipe);
	if (call.hEvent != NULL)
		CloseHandle(call.hEvent);
}
