using System.Reflection;
using System.Reflection.Emit;
using Broker.Storage.Contracts;

namespace Broker.Storage.Tests;

/// <summary>Which folders of the storage project use which, read from signatures and method bodies of its types.</summary>
internal static class FolderGraph
{
    private const string Root = "Broker.Storage";

    private const BindingFlags All = BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static readonly Dictionary<int, OpCode> OpCodesByValue = typeof(OpCodes).GetFields(BindingFlags.Public | BindingFlags.Static)
        .Select(f => (OpCode)f.GetValue(null)!).ToDictionary(code => (int)(ushort)code.Value);

    /// <summary>Arrows between folders, each with one of the pairs of types that draw it.</summary>
    public static IReadOnlyDictionary<(string From, string To), string> Draw()
    {
        var arrows = new SortedDictionary<(string, string), string>();
        foreach (var type in typeof(IStepStore).Assembly.GetTypes())
        {
            if (FolderOf(type) is not { } from) continue;
            foreach (var used in UsedBy(type))
            {
                if (FolderOf(used) is { } to && to != from) arrows.TryAdd((from, to), $"{type.Name} uses {used.Name}");
            }
        }

        return arrows;
    }

    /// <summary>The first folder below the project's; null: the type is of another project or in a generated migration.</summary>
    private static string? FolderOf(Type type)
    {
        if (type.Assembly != typeof(IStepStore).Assembly || type.Namespace is not { } name) return null;
        if (name == Root) return "";
        if (!name.StartsWith(Root + ".", StringComparison.Ordinal) || name.Contains(".Migrations.", StringComparison.Ordinal)) return null;
        return name[(Root.Length + 1)..].Split('.')[0];
    }

    private static IEnumerable<Type> UsedBy(Type type)
    {
        var direct = new List<Type?> { type.BaseType };
        direct.AddRange(type.GetInterfaces());
        direct.AddRange(type.GetFields(All).Select(f => f.FieldType));
        direct.AddRange(type.GetEvents(All).Select(e => e.EventHandlerType));
        foreach (var method in type.GetMethods(All).Cast<MethodBase>().Concat(type.GetConstructors(All)))
        {
            direct.AddRange(method.GetParameters().Select(p => p.ParameterType));
            if (method is MethodInfo { ReturnType: var returned }) direct.Add(returned);
            direct.AddRange(InBody(method));
        }

        return direct.OfType<Type>().SelectMany(Parts).Distinct();
    }

    private static IEnumerable<Type> Parts(Type type)
    {
        if (type.HasElementType) return Parts(type.GetElementType()!);
        return type.IsGenericType ? type.GetGenericArguments().SelectMany(Parts).Append(type) : [type];
    }

    // Walks the instructions: those that carry a token name a type, a field or a method.
    private static IEnumerable<Type?> InBody(MethodBase method)
    {
        if (method.GetMethodBody() is not { } body) yield break;
        foreach (var local in body.LocalVariables) yield return local.LocalType;
        foreach (var clause in body.ExceptionHandlingClauses)
        {
            if (clause.Flags == ExceptionHandlingClauseOptions.Clause) yield return clause.CatchType;
        }

        var code = body.GetILAsByteArray()!;
        for (var at = 0; at < code.Length;)
        {
            var value = code[at++] is var first and 0xFE ? (first << 8) | code[at++] : code[at - 1];
            var operand = OpCodesByValue[value].OperandType;
            if (operand is OperandType.InlineTok or OperandType.InlineType or OperandType.InlineField or OperandType.InlineMethod)
            {
                foreach (var type in Named(method, BitConverter.ToInt32(code, at))) yield return type;
            }

            at += operand switch
            {
                OperandType.InlineNone => 0,
                OperandType.ShortInlineBrTarget or OperandType.ShortInlineI or OperandType.ShortInlineVar => 1,
                OperandType.InlineVar => 2,
                OperandType.InlineI8 or OperandType.InlineR => 8,
                OperandType.InlineSwitch => 4 + (4 * BitConverter.ToInt32(code, at)),
                _ => 4,
            };
        }
    }

    private static IEnumerable<Type?> Named(MethodBase method, int token)
    {
        var ofType = method.DeclaringType is { IsGenericType: true } type ? type.GetGenericArguments() : null;
        var ofMethod = method.IsGenericMethod ? method.GetGenericArguments() : null;
        var member = method.Module.ResolveMember(token, ofType, ofMethod);
        if (member is Type named) return [named];
        return member switch
        {
            MethodInfo { IsGenericMethod: true } generic => [generic.DeclaringType, .. generic.GetGenericArguments()],
            _ => [member?.DeclaringType],
        };
    }
}
