namespace Broker.Storage.Sqlite;

/// <summary>A value of a column: text, a whole number, or null.</summary>
internal readonly record struct SqliteValue(string? Text, long? Number)
{
    public static implicit operator SqliteValue(string? text) => new(text, null);

    public static implicit operator SqliteValue(long? number) => new(null, number);

    public static implicit operator SqliteValue(long number) => new(null, number);

    public static implicit operator SqliteValue(int number) => new(null, number);

    public static implicit operator SqliteValue(short number) => new(null, number);

    public static implicit operator SqliteValue(int? number) => new(null, number);

    public static implicit operator SqliteValue(short? number) => new(null, number);

    public static implicit operator SqliteValue(bool flag) => new(null, flag ? 1 : 0);
}
